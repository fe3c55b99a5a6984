organization "corp" {
  system = "elvex"
}

member "sarah@corp.com" {
  company_role = "creator"                          # consumer | member | creator | admin | owner
}

group "marketing" {
  visibility = "private"                            # public | private: who can see it, never who can join
  owner      = ["sarah@corp.com"]
  editor     = []                                   # owner and editor carry group.marketing.manage; a consumer can only be a viewer
  viewer     = ["tom@corp.com"]
}

mapping "idp-marketing" {                           # SAML attribute values that put people into a group at login
  values = ["MKT"]
  group  = group.marketing
  role   = "viewer"                                 # viewer | editor
}

resource "assistant" "brief-writer" {               # assistant | flow | datasource | conversation
  creator    = "sarah@corp.com"
  visibility = "private"
  share {
    group = group.marketing
    role  = "editor"                                # viewer | editor
  }
  share {
    member = "tom@corp.com"
    role   = "viewer"
  }
}
