# Groups that follow from who somebody is. People join and leave them by
# themselves: the sets are worked out anew in every plan.

group "staff" {
  name  = "Staff"
  roles = [role.standard]

  # Everyone, minus the contractors: roles add up, so the narrower role is worth
  # something only if its people are not in here. Administrators are. Their
  # access does not come from roles, so it changes nothing for them.
  members = minus(everyone, group.contractors.members)
  owners  = local.access_team
}

group "contractors" {
  name    = "Contractors"
  roles   = [role.contractor]
  members = domain(var.contractor_domain)
  owners  = local.access_team
}

# One or two people of each department who try things first and help the others.
# They are the pilot wave in migration.hcl.
group "champions" {
  name  = "Champions"
  roles = [role.cowork]

  members = [
    "bianca@acme.com", # marketing
    "elif@acme.com",   # engineering
    "esther@acme.com", # support
    "lucia@acme.com",  # sales
    "marek@acme.com",  # IT
    "petra@acme.com",  # finance
    "uma@acme.com",    # people
    "vera@acme.com",   # data
    "yael@acme.com",   # legal
    "yuki@acme.com",   # design
  ]

  owners = local.access_team
}
