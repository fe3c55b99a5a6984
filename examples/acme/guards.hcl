# Limits on what one plan may do. A plan over a limit is blocked, not shortened.

guard {
  # Losses that the waves in migration.hcl explain do not count, so a handful is
  # plenty for a company of this size.
  max_members_losing_access = 3
  max_removals              = 5
  max_group_shrink          = "50%"

  # Whatever happens, these two must be able to repair it.
  protected = ["ingrid@acme.com", "priya@acme.com"]
}

# Two roles that disagree about a connector are settled silently, in favor of the
# more permissive one. Ours never disagree: a base role with a default and
# additive roles on "custom" do not. So here it is a mistake, and stops the plan.
rule "cross-role-conflict" {
  severity = "error"
}
