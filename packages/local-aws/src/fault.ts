/** An answer other than success, with the service's name and words for it. */
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
