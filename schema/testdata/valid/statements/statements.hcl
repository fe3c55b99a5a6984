organization "acme" {
  system = "test"
}

role "eng" {
  for_each     = toset(["backend", "web"])
  capabilities = ["chat"]
}

group "pilot" {
  roles   = [role.eng["web"]]
  members = ["jane@acme.com"]
}

group "contractors" {
  members = domain("vendor.com")
}

squad "red" {
  leads = ["lead@acme.com"]
  since = "2026-12-01"
  motto = squad["blue team"].motto
}

squad "blue team" {
  motto = "Calm"
}

resource "assistant" "brief-writer" {
  creator = "sarah@corp.com"
  group   = group.pilot
}

resource "flow" "weekly report" {
  for_each = toset(["de", "fr"])
  creator  = resource.assistant.brief-writer.creator
}

accept "guard.max_removals" {
  up_to   = 60
  reason  = "Team split, ticket 4711"
  expires = "2026-12-15"
}

accept "guard.max_spend_increase" {
  up_to  = "40%"
  reason = "New seats"
}

accept "widening-removal" {
  reason = "Reviewed"
}

rule "admin-scope" {
  severity = "warning"
  trusted  = [group.pilot]
}

exclusive "tiers" {
  groups   = [group.pilot, group.contractors]
  required = true
}

hold "incident-42" {
  objects = concat([group.pilot, resource.assistant.brief-writer], values(resource.flow["weekly report"]))
  until   = "2026-12-01"
  reason  = "Access cut during the incident"
}

test "contractors cannot write to Jira" {
  who           = [group.contractors, squad.red.members, "Sam@vendor.com"]
  can           = ["capability.chat", "connector.jira.search_issues"]
  cannot        = ["connector.jira.delete_issue"]
  at_most       = { "connector.jira.search_issues" = "needs_approval" }
  spend_at_most = { monthly = 100.5 }
}

test "everybody chats" {
  for_each = { staff = "capability.chat", all = "capability.web_search" }
  who      = everyone
  can      = [each.value]
}

removed {
  from = group.old_team
  name = "Old team"
}

removed {
  from = role.eng["mobile"]
}

removed {
  from = member["old@acme.com"]
  id   = "user_01"
}

removed {
  from = resource.flow["monthly report"]["de"]
}

moved {
  from = group.vendors
  to   = group.contractors
}

moved {
  from = role.eng["frontend"]
  to   = role.eng["web"]
}

moved {
  from = group.externals
  to   = group.vendors
}
