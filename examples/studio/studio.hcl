organization "studio" {
  system = "belay"

  canary {
    group = group.marketing
  }
}

integration "hubspot" {
  connected = true
  scopes = {
    "contacts:read"  = "read"
    "contacts:write" = "write"
    "deals:read"     = "read"
  }
}

integration "elevenlabs" {
  connected = true
  scopes = {
    "voices:read"   = "read"
    "voices:delete" = "admin"
  }
}

group "marketing" {
  name        = "Marketing"
  description = "Campaigns and content"
  claude_role = file("marketing.prompt.md")
  members     = ["liv@studio.co", "max@studio.co"]

  integration "hubspot" {
    scopes = ["contacts:read"]
  }
}

group "sales" {
  name        = "Sales"
  description = "Deals and renewals"
  members     = ["max@studio.co", "ida@studio.co"]

  integration "hubspot" {
    scopes = ["contacts:read", "contacts:write", "deals:read"]
  }
}

group "audio" {
  name    = "Audio"
  members = ["noa@studio.co"]

  integration "elevenlabs" {
    scopes = ["voices:read", "voices:delete"]
  }
}

rule "admin-scope" {
  trusted = [group.audio]
}
