organization "msp" {
  system = "conduit"

  api {
    emulator = "msp.org.json"
  }
}

vendor "autotask" {
  tools    = ["search_tickets", "update_ticket", "delete_contract"]
  allowed  = ["search_tickets", "update_ticket"]
  personal = "ignore"
}

vendor "itglue" {
  allowed  = inherit
  personal = "ignore"
}

team "tier1" {
  name           = "Tier 1"
  previous_names = ["Helpdesk"]
  members        = ["ana@msp.com"]

  vendor "autotask" {
    credentials = "team"
    allowed     = ["search_tickets"]
  }
}

team "tier2" {
  name    = "Tier 2"
  members = ["adam@msp.com", "cy@msp.com"]

  vendor "autotask" {
    allowed = inherit
  }
  vendor "itglue" {
    allowed = ["search_documents"]
  }
}

member "bo@msp.com" {
  vendors = ["autotask"]
}

# The organization's list takes delete_contract and, with the team's, update_ticket from people.
guard {
  max_members_losing_access = "60%"
}
