# What one plan may do. A plan that goes beyond is blocked, until the guard is
# accepted by name or the plan is made smaller. These are the defaults.

guard {
  max_members_losing_access = "5%"  # or a number of members
  max_removals              = 25    # memberships, groups, roles, members
  max_group_shrink          = "50%" # of any single group
  max_spend_increase        = "20%"
  protected                 = [] # addresses of people who must lose nothing
}

# What must be so, whatever the rest says. A plan that breaks it is blocked.
#
# test "contractors have no Claude Code" {
#   who    = [group.contractors]
#   cannot = ["capability.claude_code"]
# }
