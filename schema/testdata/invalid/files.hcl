locals {
  missing  = file("nothing.csv") # ERROR: Invalid function argument
  absolute = file("/etc/passwd") # ERROR: Invalid function argument
  outside  = file("../x") # ERROR: Invalid function argument
  exists   = fileexists("../x") # ERROR: Invalid function argument
  folder   = file(".") # ERROR: Invalid function argument
  csv      = csvdecode("a,b\n1\n") # ERROR: Error in function call
  json     = jsondecode("{") # ERROR: Error in function call
  yaml     = yamldecode("a: [") # ERROR: Error in function call
}
