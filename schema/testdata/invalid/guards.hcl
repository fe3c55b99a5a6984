guard {
  max_members_losing_access = "five" # ERROR: Invalid share
  max_removals              = -1 # ERROR: Invalid number
  max_group_shrink          = "2.5%" # ERROR: Invalid share
  max_spend_increase        = true # ERROR: Wrong type of value
  protected                 = ["x"] # ERROR: Invalid e-mail address
  frozen                    = "no" # ERROR: Wrong type of value
  max_everything            = 1 # ERROR: Unknown attribute
}

rule "x" {
  severity = "fatal" # ERROR: Value not allowed
  ignore   = ["connector.slack"] # ERROR: Wrong type of value
}

rule { # ERROR: Missing label
}

rule "y" {
  severity = null
}
