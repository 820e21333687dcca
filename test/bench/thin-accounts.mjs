// A Cognito end for lists of a user pool with many made-up accounts, 60 a page at next to no cost; everything else goes on to the served
// store behind it. Prints its port; ends with its parent.
import { createServer } from "node:http";
import { forwarder } from "./forward.mjs";

const [endpoint, count] = [process.argv[2], Number(process.argv[3])];
const forward = forwarder(new URL(endpoint));

function account(number) {
  const sub = `${String(number).padStart(8, "0")}-0000-4000-8000-000000000000`;
  const attributes = {
    sub,
    email: `nutzer${number}@example.com`,
    email_verified: "true",
    name: "Max Müller",
  };
  return {
    Username: sub,
    Attributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
    Enabled: true,
    UserStatus: "CONFIRMED",
    UserCreateDate: 1_767_225_600 + number / 1000,
    UserLastModifiedDate: 1_767_225_600 + number / 1000,
  };
}

function list({ Limit = 60, PaginationToken = "0" }) {
  const first = Number(PaginationToken);
  const length = Math.min(Limit, count - first);
  const next = first + length;
  const Users = Array.from({ length }, (_, at) => account(first + at));
  return JSON.stringify({ Users, ...(next < count ? { PaginationToken: String(next) } : {}) });
}

const server = createServer((incoming, outgoing) => {
  if (incoming.headers["x-amz-target"] !== "AWSCognitoIdentityProviderService.ListUsers")
    return forward(incoming, outgoing);
  const chunks = [];
  incoming.on("data", (chunk) => chunks.push(chunk));
  incoming.on("end", () => {
    const answer = list(JSON.parse(Buffer.concat(chunks)));
    outgoing.writeHead(200, { "content-type": "application/x-amz-json-1.1" }).end(answer);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => server.closeAllConnections() ?? server.close()).resume();
