// Makes users until it is killed: node cognito-process.cjs <folder> <pool, or empty to make one> <first number>
import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminUpdateUserAttributesCommand,
  CognitoIdentityProviderClient,
  CreateGroupCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { requestHandler } from "../src/request-handler.ts";
import { localPoolId } from "../src/service.ts";
import { openStore } from "../src/store.ts";

const [, , dir = "", first = "0"] = process.argv;
const region = "eu-central-1";

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function run(): Promise<void> {
  const store = await openStore(dir, { region, now: () => new Date() });
  const client = new CognitoIdentityProviderClient({
    region,
    credentials: store.credentials,
    maxAttempts: 1,
    requestHandler: requestHandler(await store.cognito()),
  });
  const UserPoolId = localPoolId(region);
  if (first === "0") await client.send(new CreateGroupCommand({ UserPoolId, GroupName: "staff" }));
  for (let number = Number(first); ; number++) {
    const Username = `user-${number}@example.com`;
    await client.send(new AdminCreateUserCommand({ UserPoolId, Username, MessageAction: "SUPPRESS" }));
    say(`created ${number}`);
    await client.send(new AdminAddUserToGroupCommand({ UserPoolId, Username, GroupName: "staff" }));
    say(`joined ${number}`);
    if (number % 3 === 0) {
      await client.send(new AdminDeleteUserCommand({ UserPoolId, Username }));
      say(`deleted ${number}`);
    } else if (number % 3 === 1) {
      const UserAttributes = [{ Name: "email", Value: `moved-${number}@example.com` }];
      await client.send(new AdminUpdateUserAttributesCommand({ UserPoolId, Username, UserAttributes }));
      say(`moved ${number}`);
    }
  }
}

void run();
