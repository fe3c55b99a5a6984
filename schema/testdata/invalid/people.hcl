group "a" {
  members = [
    "ana@acme.com",
    "Ana@Acme.com", # ERROR: Member listed twice
    "ben",          # ERROR: Invalid e-mail address
    "Jo <jo@acme.com>", # ERROR: Invalid e-mail address
    7,              # ERROR: Wrong type of value
    null,           # ERROR: Null in a list or map
    everyone,
    group.k,        # ERROR: Wrong type of value
    ["x@acme.com"], # ERROR: Wrong type of value
  ]
}

group "b" {
  members = group.a # ERROR: Wrong type of value
  name    = everyone # ERROR: People used as a value
}

group "d" {
  members = group.c.members[0] # ERROR: People used as a value
}

group "c" {
  members = union(everyone) # ERROR: Not enough function arguments
  owners  = everyone # ERROR: People used as a value
}

group "e" {
  members = minus(everyone, ["ben"]) # ERROR: Invalid function argument
}

group "f" {
  members = intersect(everyone, 7) # ERROR: Invalid function argument
}

group "g" {
  members = domain("@acme.com") # ERROR: Invalid function argument
}

group "h" {
  members = organization_role("") # ERROR: Invalid function argument
}

locals {
  first   = everyone[0] # ERROR: People used as a value
  looped  = [for p in everyone : p] # ERROR: People used as a value
  counted = length(everyone) # ERROR: People used as a value
  text    = "all: ${everyone}" # ERROR: People used as a value
  upper   = upper(everyone) # ERROR: People used as a value
  set     = toset(everyone) # ERROR: People used as a value
  json    = jsonencode(everyone) # ERROR: People used as a value
  joined  = join(",", everyone) # ERROR: People used as a value
  splat   = domain("acme.com")[*].x # ERROR: Unsupported attribute
  wrong   = ["ana@acme.com", "ben"]
}

group "i" {
  members = local.wrong # ERROR: Invalid list of people
}

group "j" {
  members = concat(local.wrong, [7]) # ERROR: Invalid list of people
}

group "k" {
  name = "${group.j} and ${format("%v", group.j)}" # ERROR: Invalid template interpolation value | Invalid function argument
}
