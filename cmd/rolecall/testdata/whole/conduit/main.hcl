organization "msp" {
  system = "conduit"
  api {
    endpoint = "https://conduit.wyre.ai"   # CONDUIT_SCIM_TOKEN (SCIM), CONDUIT_SESSION (JSON routes); what a missing one cannot read comes from the ledger
  }
}

vendor "autotask" {
  tools    = ["search_tickets", "update_ticket", "delete_contract"]   # optional: otherwise discovered live
  allowed  = ["search_tickets", "update_ticket"]    # organization allowlist; inherit = all tools. An empty list is an error (the service would open everything)
  personal = "assume"                               # assume | ignore: members may use their own credentials, which the team list does not narrow
}

team "tier1" {
  members = ["ana@msp.com"]                         # a member belongs to at most one team
  vendor "autotask" {
    credentials = "team"                            # team | organization: without team credentials the team list does nothing
    allowed     = ["search_tickets"]                # or inherit ("Reset to inherit")
  }
}

member "bo@msp.com" {
  vendors = ["autotask"]                            # individual access, in front of the lists
}
