import { Fault } from "../fault.ts";

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
