organization "corp" {
  system = "elvex"
}

member "sarah@corp.com" {
  company_role = "creator"
}

member "olga@corp.com" {
  company_role = "owner"
}

member "tom@corp.com" {
  company_role = "consumer"
}

group "marketing" {
  name       = "Marketing"
  visibility = "private"
  owner      = ["sarah@corp.com"]
  editor     = []
  viewer     = ["tom@corp.com", "uma@corp.com"]
}

group "research" {
  name       = "Research"
  visibility = "public"
  owner      = ["olga@corp.com"]
  viewer     = ["uma@corp.com"]
}

resource "assistant" "brief-writer" {
  creator    = "sarah@corp.com"
  visibility = "private"

  share {
    group = group.marketing
    role  = "editor"
  }
  share {
    member = "tom@corp.com"
    role   = "viewer"
  }
  share {
    group = group.research
    role  = "viewer"
  }
}

resource "assistant" "help" {
  creator    = "olga@corp.com"
  visibility = "public"
}

test "consumers come to resources only through shares" {
  who     = ["tom@corp.com"]
  can     = ["resource.assistant.brief-writer"]
  cannot  = ["group.marketing.manage"]
  at_most = { "resource.assistant.brief-writer" = "editor" }
}
