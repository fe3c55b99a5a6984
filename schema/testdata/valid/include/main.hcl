organization "acme" {
  system = "test"
}

include {
  path = "../../shared"
}

locals {
  prefix = "Acme"
}

group "all" {
  roles   = [role.shared, role.eng["web"]]
  owners  = [for r in csvdecode(file("../../shared/people.csv")) : r.email]
  members = group.staff.members
}

group "staff" {
  members = minus(everyone, group.contractors.members)
}

role "own" {
  description = "${local.prefix}: ${fileexists("../../shared/texts/none.txt") ? "yes" : "no"}"
}
