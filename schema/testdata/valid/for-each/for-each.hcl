organization "acme" {
  system = "test"
}

locals {
  rows = csvdecode(file("teams.csv"))
}

role "eng" {
  for_each = { frontend = "Front end", backend = "Back end" }
  name     = each.value
}

role "standard" {
}

group "team" {
  for_each = toset(local.rows[*].team)
  name     = "Team ${each.key}"
  roles    = [role.standard, role.eng[[for r in local.rows : r.role if r.team == each.value][0]]]
  members  = [for r in local.rows : r.email if each.key == r.team && r.role != ""]
  parent   = group.everybody
  spend_limit {
    monthly = length([for r in local.rows : r if r.team == each.key]) * 100
  }
}

group "everybody" {
  roles   = values(role.eng)
  members = everyone
}

group "loop" {
  roles = [for k, r in role.eng : r if k != "frontend"]
}

group "one" {
  roles = [role.eng["backend"], role.eng.frontend, role.standard]
  name  = role.eng["backend"].name
}

group "all-roles" {
  roles = concat([role.standard], [for r in role : r.backend if can(r.backend)])
}

group "none" {
  for_each = {}
}

rule "x" {
  ignore = concat(values(group.team), [group.loop])
}

migration {
  wave "teams" {
    groups  = [for g in group.team : g]
    members = union([], values(group.team)[*].members...)
  }
}
