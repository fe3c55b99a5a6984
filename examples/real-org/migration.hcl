# All 1,375 members on organization role "user", in three waves. A wave takes
# whoever no earlier wave has taken. The 9 owners are in groups like everybody
# else, but are never migrated.

migration {
  wave "pilot" {
    groups = [
      group.release["team236"],
      group.release["team237"],
      group.release["team297"],
    ]
  }

  wave "teams" {
    members = local.in_a_team
  }

  wave "everyone" {
    members = everyone
  }
}
