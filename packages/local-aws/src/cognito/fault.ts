/** An answer other than success, with Cognito's name and words for it. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export function invalid(message: string): Fault {
  return new Fault("InvalidParameterException", message);
}

export function poolNotFound(id: string): Fault {
  return new Fault("ResourceNotFoundException", `User pool ${id} does not exist.`);
}

export function userNotFound(): Fault {
  return new Fault("UserNotFoundException", "User does not exist.");
}

export function groupNotFound(): Fault {
  return new Fault("ResourceNotFoundException", "Group not found.");
}
