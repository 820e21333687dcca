const coral = "com.amazon.coral.service#";
const validate = "com.amazon.coral.validate#";
const dynamodb = "com.amazonaws.dynamodb.v20120810#";

/** An answer other than success: DynamoDB's error document and its status. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(type: string, message: string | undefined, options: { status?: number; extra?: object } = {}) {
    super(message ?? type);
    this.status = options.status ?? 400;
    this.body = { __type: type, message, ...options.extra };
  }
}

/** A fault of the request as such, before any table was looked at. */
export function coralFault(name: string, message?: string): Fault {
  return new Fault(coral + name, message);
}

/** A fault of DynamoDB's own kinds; `extra` are further members of the document. */
export function dynamodbFault(name: string, message: string, extra: object = {}): Fault {
  return new Fault(dynamodb + name, message, { extra });
}

export function validationFault(message: string): Fault {
  return new Fault(`${validate}ValidationException`, message);
}

/** The message that DynamoDB puts before most complaints about a parameter. */
export function invalidParameter(message: string): Fault {
  return validationFault(`One or more parameter values were invalid: ${message}`);
}

/** The short name of a fault's type, as the SDK shows it. */
export function faultName(fault: Fault): string {
  return String(fault.body["__type"]).split("#").at(-1) ?? "";
}
