/** What moto (5.2, as of November 2026) does otherwise than AWS. Reason to check names; see `known-differences.ts`. */
export const motoCognito: Readonly<Record<string, readonly string[]>> = {
  "makes longer ids, and checks little of a pool's definition": [
    "makes a pool with an id of region and nine signs, and tells its name, times and ARN",
    "refuses a pool with aliases and sign-in attributes at once",
    "refuses a pool's name with other signs",
    "refuses to list more than 60 pools at once",
  ],
  "deletes a protected pool": ["does not delete a protected pool until the protection is taken off"],
  "takes a sub from outside, and changes it": [
    "takes no sub from outside",
    "changes neither sub nor what it does not know",
  ],
  "names what it refuses, and says no more": [
    "does not make a user name twice, and keeps the first user",
    "says what is missing, the group or the user",
  ],
  "always tells case apart, and takes any user name": [
    "keeps user names apart by case, unless the pool says otherwise",
    "refuses user names with spaces, empty and with more than 128 characters",
    "refuses in such a pool what is no e-mail address, and one address twice",
  ],
  "finds users by their names only": [
    "finds a user by the sub as well as by the name",
    "knows a member by the sub as well",
  ],
  "keeps aliases as attributes without meaning": [
    "takes no e-mail address for a user name where addresses are aliases",
    "finds a user by a verified alias, and not by one that is not",
    "gives a verified alias to one user only, unless it is forced",
    "keeps an alias with one user when another one's address changes",
  ],
  "checks attributes against the schema only in part": [
    "takes away an attribute that is set to nothing",
    "deletes the attributes named, also when they are not there",
    "keeps custom attributes, and refuses those that the pool does not have",
    "sets what is fixed once and never changes it",
    "changes all attributes of a call or none",
    "checks numbers, lengths, birthdays and addresses",
    "holds values of 2,048 characters and refuses one more",
    "takes a changed address for unverified unless the same call verifies it",
    "verifies no address that is not there",
    "refuses to give attributes that the pool does not have",
  ],
  "takes any limit and token, and knows no backslash in a filter": [
    "refuses limits above 60 and tokens that it never gave",
    "reads quotes in a filter's value behind a backslash",
  ],
  "holds temporary passwords against no policy, and others against more than the pool's": [
    "makes no user with a temporary password that the policy forbids",
    "demands no more than the pool's own policy",
  ],
  "makes a new user of one who is invited again": [
    "invites once more while the password was never changed, and not afterwards",
  ],
  "verifies no signatures": [
    "refuses a signature that was made with a wrong secret",
    "refuses an access key that nobody has",
    "refuses a call without signature",
    "does nothing for a signed call whose body was changed afterwards",
  ],
  "takes a malformed call for an empty one, and answers 500 to an unknown one": [
    "says SerializationException for a call that is no JSON or has values of the wrong kind",
    "says UnknownOperationException for a call that does not exist",
  ],
  "signs in by rules of its own, and answers a question for a device or for sign-ins otherwise": [
    "signs in by the right password only, by any spelling of the address",
    "signs nobody in who is disabled, has to reset the password, or is not there",
    "asks for another password after a temporary one, once",
    "signs in only by flows that the client allows, and only clients that know their secret",
    "confirms who signed up, once, and nobody else",
    "keeps which second factors a user has, and refuses those that cannot reach them",
    "knows no device of a user, and says whose it does not know",
    "tells a user's sign-ins where the pool keeps them, the newest first",
  ],
};
