/** Rows of nobody's for a table, parents before their children; each has the columns of the first. */
export interface SampleRows {
  readonly table: string;
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** By the name of a shipped model with a database: what its demo puts there. */
export const sampleRows: Readonly<Record<string, (now: Date) => readonly SampleRows[]>> = {
  lopez: rowsOfLopez,
  fc024: rowsOfFc024,
};

/** Of whom the demo tells; Eva is of the staff. */
export const sampleEmail = "max@example.com";
export const sampleStaff = "eva@example.com";

const people = 1000;
const day = 86_400_000;

/** A thousand people with a chat and a session each, of which one in fifty is over. */
function rowsOfLopez(now: Date): readonly SampleRows[] {
  const numbers = Array.from({ length: people }, (_, at) => at + 1);
  const ids = (letter: string, number: number) => `${letter}-${number}`;
  const expires = (number: number) => timeText(new Date(now.getTime() + (number % 50 === 0 ? -7 : 7) * day));
  return [
    {
      table: "users",
      rows: numbers.map((number) => ({
        id: ids("u", number),
        email: number === 1 ? sampleEmail : `person-${number}@example.com`,
        password_hash: "of nobody",
        name: number === 1 ? "Max Mustermann" : `Person ${number}`,
      })),
    },
    {
      table: "ai_agents",
      rows: [{ id: "a-1", name: "Helper", type: "chatbot", model: "m", config: "{}", created_by: "u-2" }],
    },
    {
      table: "chat_sessions",
      rows: numbers.map((number) => ({ id: ids("c", number), user_id: ids("u", number), agent_id: "a-1" })),
    },
    {
      table: "chat_messages",
      rows: numbers.map((number) => ({
        id: ids("m", number),
        session_id: ids("c", number),
        content: "Guten Tag!",
        type: "user",
      })),
    },
    {
      table: "refresh_tokens",
      rows: numbers.map((number) => ({
        id: ids("t", number),
        user_id: ids("u", number),
        token: `token of nobody ${number}`,
        expires_at: expires(number),
      })),
    },
  ];
}

const uuid = (kind: number, number: number) =>
  `0000000${kind}-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** Customers with an opportunity each, somebody of the staff, and what is left of a file that was deleted long ago. */
function rowsOfFc024(now: Date): readonly SampleRows[] {
  const numbers = [1, 2, 3, 4, 5];
  const customer = (number: number) => uuid(1, number);
  const deleted = new Date(now.getTime() - 40 * day);
  return [
    { table: "users", rows: [{ id: uuid(3, 1), email: sampleStaff, name: "Eva Muster" }] },
    {
      table: "customers",
      rows: numbers.map((number) => ({
        id: customer(number),
        name: number === 1 ? "Max Mustermann" : `Customer ${number}`,
        email: number === 1 ? sampleEmail : `customer-${number}@example.com`,
      })),
    },
    {
      table: "opportunities",
      rows: numbers.map((number) => ({
        id: uuid(2, number),
        customer_id: customer(number),
        name: `Order ${number}`,
      })),
    },
    {
      table: "file_attachments",
      rows: [
        {
          id: uuid(4, 1),
          file_name: "Angebot.pdf",
          s3_key: `customers/${customer(2)}/${uuid(4, 1)}/Angebot.pdf`,
          content_type: "application/pdf",
          size_bytes: "1024",
          status: "DELETED",
          scan_result: "CLEAN",
          customer_id: customer(2),
          uploaded_by: uuid(3, 1),
          uploaded_at: timeText(deleted),
          deleted_at: timeText(deleted),
        },
      ],
    },
  ];
}

/** As both engines read it, in UTC. */
function timeText(at: Date): string {
  return at.toISOString().slice(0, 19).replace("T", " ");
}
