package plan

// A rule is one thing that the planner takes into account. Without any one of
// them it makes plans that are not safe.
type rule int

// The rules. Those of kinds of steps say that a step of that kind may be in
// force or not for as long as its stage lasts.
const (
	ruleOver rule = iota
	ruleGap
	ruleStanding
	ruleMembership
	ruleAttachment
	ruleGrant
	ruleCeiling
	ruleList
	ruleOwnSetting
	ruleGroupSetting
	ruleSeatSetting
	ruleDefault
	ruleFallback
	ruleSettingCeiling
	rulePrecedence
	ruleReadings
	ruleNever
	ruleHeld
	ruleNeeds
	ruleRoom
	rulePhantom
	ruleWait
	numRules
)

// safeguards says what each rule is.
var safeguards = [numRules]string{
	ruleOver:           "nobody has more than the larger of what they have and what they will have",
	ruleGap:            "nobody has less than the smaller of what they have and what they will have",
	ruleStanding:       "what somebody is in the organization may be as it was or as it will be",
	ruleMembership:     "somebody may have joined or left a group, or not",
	ruleAttachment:     "a source may be attached to a group, or not",
	ruleGrant:          "a source may grant what it granted or what it will grant",
	ruleCeiling:        "a ceiling may be where it was or where it will be",
	ruleList:           "the list of a group may be as it was or as it will be",
	ruleOwnSetting:     "a member's own setting may be as it was or as it will be",
	ruleGroupSetting:   "a group's setting may be as it was or as it will be",
	ruleSeatSetting:    "a seat tier's setting may be as it was or as it will be",
	ruleDefault:        "the organization's setting may be as it was or as it will be",
	ruleFallback:       "the setting behind the organization's may be as it was or as it will be",
	ruleSettingCeiling: "the ceiling on a setting may be as it was or as it will be",
	rulePrecedence:     "either the lowest or the highest of the groups may count",
	ruleReadings:       "what could not be read may be either way",
	ruleNever:          "what somebody else brings into force may be in force or not in every later stage",
	ruleHeld:           "what is held is in no stage",
	ruleNeeds:          "what a step needs is in an earlier stage or the same",
	ruleRoom:           "there is room for what is added",
	rulePhantom:        "whoever joins an open group meanwhile has no more than it gives before or after",
	ruleWait:           "a stage begins when what must be in force before it is in force",
}
