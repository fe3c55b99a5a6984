role "standard" {
  name         = "Standard"
  capabilities = ["chat"]
  connector "jira" {
  }
}

locals {
  x = local.y # ERROR: Unknown reference
  z = var.nothing # ERROR: Unknown reference
  w = var # ERROR: Incomplete reference
  v = each.key # ERROR: No for_each here
  u = role.standrad.name # ERROR: Unknown reference
  t = role.standard.nmae # ERROR: Unknown reference
  s = role.standard.description # ERROR: Attribute not set
  r = role.standard.connector # ERROR: Unknown reference
  q = always_allow # ERROR: Unknown reference
  p = rolle.standard # ERROR: Unknown reference
  o = vendor.jira # ERROR: Unknown reference
  n = guard.x # ERROR: Invalid reference
  m = migration.x # ERROR: Invalid reference
  l = evryone # ERROR: Unknown reference
  k = role.standard["x"] # ERROR: Unknown reference
  j = uper("x") # ERROR: Call to unknown function
  i = upper("x", "y") # ERROR: Too many function arguments
  h = local.x # no second error
}

group "g" {
  roles = [role.standrad, role.standard] # ERROR: Unknown reference
}

group "h" {
  roles = ["standard"] # ERROR: Wrong type of value
}

group "i" {
  roles = ["role.standard", group.g] # ERROR: Wrong type of value | Reference to another type of block
}

group "j" {
  roles = role.standard # ERROR: Wrong type of value
}

group "k" {
  parent = role.standard # ERROR: Reference to another type of block
  name   = group.k.name # ERROR: Block refers to itself
}

group "l" {
  parent  = [group.k] # ERROR: Wrong type of value
  members = [for k, g in group : g.name] # ERROR: Block refers to itself
  roles   = [[role.standard]] # ERROR: Wrong type of value
}

group "m" {
  name   = role.standard.nmae # ERROR: Unknown reference
  roles  = [role.standard]
  owners = [role.standard.name]
}
