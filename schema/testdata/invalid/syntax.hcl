role "good" {
  name = 1 # ERROR: Wrong type of value
}

role "bad" {
  name = = # ERROR: Invalid expression
}

group "after" {
  roles = [role.bad, role.nothing]
}
