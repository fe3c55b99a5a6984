organization "acme" {
  system = "tset" # ERROR: Unknown system
}

role "a" {
  name = 1 # ERROR: Wrong type of value
}
