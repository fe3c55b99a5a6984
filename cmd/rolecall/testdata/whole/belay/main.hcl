organization "studio" {
  system = "belay"                                  # live state in the ledger, see 5-providers
  canary {
    token_env = "BELAY_CANARY_TOKEN"                # a member whose MCP context is read back
    group     = group.marketing
  }
}

integration "hubspot" {
  connected = true
  scopes    = { "contacts:read" = "read", "contacts:write" = "write" }
}

group "marketing" {
  name        = "Marketing"
  description = "Campaigns and content"
  claude_role = file("marketing.prompt.md")         # the system prompt: a permission (context.marketing) of its members; the plan shows a text diff
  members     = ["liv@studio.co"]
  integration "hubspot" {
    scopes = ["contacts:read"]
  }
}

rule "admin-scope" {
  trusted = [group.marketing]                       # groups that may hold scopes of class admin
}
