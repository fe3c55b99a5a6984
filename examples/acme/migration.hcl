# Roles count only for members whose organization role is "Custom roles". A wave
# moves people there, once each of them has a group with a role. Owners and
# administrators are never moved.

migration {
  wave "pilot" {
    groups = [group.champions]
  }

  # To let the pilot run for a week first, write state = "closed" here and keep
  # the two new features off: switched on, they would reach whoever still waits,
  # and the plan refuses to do that.
  wave "everyone" {
    members = everyone
  }
}
