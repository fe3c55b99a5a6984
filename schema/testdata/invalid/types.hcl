role "a" {
  name              = 42 # ERROR: Wrong type of value
  description       = true # ERROR: Wrong type of value
  capabilities      = "chat" # ERROR: Wrong type of value
  previous_names    = ["a", 1, null] # ERROR: Wrong type of value | Null in a list or map
  admin_permissions = ["billing"] # ERROR: Wrong type of value
  connector_default = ["custom"] # ERROR: Wrong type of value
}

role "b" {
  name              = role.a # ERROR: Wrong type of value
  capabilities      = toset([1, 2]) # ERROR: Wrong type of value
  admin_permissions = { billing = 1 } # ERROR: Wrong type of value
  description       = { a = "b" } # ERROR: Wrong type of value
}

feature "chat" {
  enabled = "true" # ERROR: Wrong type of value
}

group "g" {
  members = "ana@acme.com" # ERROR: Wrong type of value
  owners  = { a = "b" } # ERROR: Wrong type of value
  spend_limit {
    monthly   = "-1" # ERROR: Invalid amount
    unlimited = 1 # ERROR: Wrong type of value
  }
}

group "h" {
  members = 1 # ERROR: Wrong type of value
  spend_limit {
    monthly = true # ERROR: Wrong type of value
  }
}

group "i" {
  spend_limit {
    monthly = "1,5" # ERROR: Invalid amount
  }
}

group "j" {
  members = null
  spend_limit {
    monthly = 1e999 # ERROR: Invalid number
  }
}
