organization "acme" {
  system = "test"
}

locals {
  team    = ["ana@acme.com", "BEN@acme.com", "ana@acme.com"]
  vendors = domain("Vendor.com")
}

group "a" {
  members = local.team # repetitions in a computed list are no mistake
}

group "b" {
  members = union(local.team, local.vendors, group.a.members)
}

group "c" {
  members = minus(everyone, group.b.members, toset(["jo@acme.com"]))
}

group "d" {
  members = intersect(organization_role("user"), [group.c.members, "kim@acme.com"])
}

group "e" {
  members = ["kim@acme.com", group.a.members, local.vendors, "lee@acme.com"]
}

group "f" {
  members = []
}

group "g" {
  members = [everyone]
}

group "h" {
  members = true ? everyone : domain("acme.com")
}

group "i" {
  # The identity provider owns the members.
  source = "scim"
}

group "j" {
  members = group.i.members
}

group "k" {
  members = concat(local.team, [everyone])
}

group "l" {
  members = coalesce(null, domain("acme.com"))
}
