/** What MiniStack (as of November 2026) does otherwise than AWS. Reason to check names; see `known-differences.ts`. */
export const ministackCognito: Readonly<Record<string, readonly string[]>> = {
  "tells only the schema that was given, without standard attributes and prefixes": [
    "has the standard attributes of OpenID Connect, with sub required and fixed",
    "puts a prefix before the names of custom attributes",
    "makes a standard attribute required where the schema says so",
    "tells what signs in, and whether case counts",
  ],
  "checks little of a pool's definition": [
    "refuses a pool with aliases and sign-in attributes at once",
    "refuses a pool's name with other signs",
    "refuses to list more than 60 pools at once",
  ],
  "deletes a protected pool": ["does not delete a protected pool until the protection is taken off"],
  "takes a sub from outside": ["takes no sub from outside"],
  "always tells case apart, and takes any user name": [
    "keeps user names apart by case, unless the pool says otherwise",
    "refuses user names with spaces, empty and with more than 128 characters",
  ],
  "keeps an e-mail address as the user name": [
    "makes the user name itself where the pool signs in by e-mail",
    "refuses in such a pool what is no e-mail address, and one address twice",
    "deletes a user for good, and gives the name and the address free",
  ],
  "gives an alias to several users": [
    "takes no e-mail address for a user name where addresses are aliases",
    "gives a verified alias to one user only, unless it is forced",
    "keeps an alias with one user when another one's address changes",
  ],
  "words what is missing otherwise": [
    "says UserNotFoundException of a user who is not there, in every call",
    "says what is missing, the group or the user",
  ],
  "has no AdminDeleteUserAttributes and no UpdateGroup": [
    "deletes the attributes named, also when they are not there",
    "changes neither sub nor what it does not know",
    "changes what is named of a group and keeps its members",
  ],
  "checks no attribute against the schema": [
    "takes away an attribute that is set to nothing",
    "keeps custom attributes, and refuses those that the pool does not have",
    "sets what is fixed once and never changes it",
    "changes all attributes of a call or none",
    "checks numbers, lengths, birthdays and addresses",
    "holds values of 2,048 characters and refuses one more",
    "takes a changed address for unverified unless the same call verifies it",
    "verifies no address that is not there",
    "gives only the attributes asked for",
    "refuses to give attributes that the pool does not have",
  ],
  "pages by position, so that deleted users hide others": [
    "goes on behind a user who is deleted between two pages",
  ],
  "takes any limit, token and filter": [
    "refuses limits above 60 and tokens that it never gave",
    "finds users by their state and by whether they are enabled",
    "reads quotes in a filter's value behind a backslash",
    "refuses filters that it cannot read, and other attributes",
  ],
  "demands of passwords more than the pool's policy, in other words": [
    "refuses passwords that the policy forbids, and keeps the user's state",
    "demands no more than the pool's own policy",
  ],
  "invites and resets whatever state a user is in": [
    "invites once more while the password was never changed, and not afterwards",
    "resets no password of a user without a verified address, or who never had one",
  ],
  "knows members by the name they were added with": ["knows a member by the sub as well"],
  "verifies no signatures": [
    "refuses a signature that was made with a wrong secret",
    "refuses an access key that nobody has",
    "refuses a call without signature",
    "does nothing for a signed call whose body was changed afterwards",
  ],
  "names errors of the protocol otherwise": [
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
