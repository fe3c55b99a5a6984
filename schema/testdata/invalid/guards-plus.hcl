guard {
  max_group_shrink   = "+5%" # ERROR: Invalid share
  max_spend_increase = "" # ERROR: Invalid share
  max_removals       = 2.5 # ERROR: Invalid number
}
