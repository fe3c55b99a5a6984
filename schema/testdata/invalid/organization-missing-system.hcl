organization "acme" { # ERROR: Missing required attribute
  id = 7 # ERROR: Wrong type of value
}

role "a" {
}
