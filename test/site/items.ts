import { CreateTableCommand, PutItemCommand, type AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../../src/aws/clients.ts";
import { typed } from "../../src/aws/dynamodb/plain.ts";
import { foreignAttributes } from "../support/owner-item.ts";
import { addresses, addressWithoutAccount, type People } from "./accounts.ts";
import {
  addressOf,
  avatarKeys,
  documentKeys,
  heroKey,
  openKeys,
  pdf,
  profileImages,
  publicMedia,
  userFiles,
} from "./objects.ts";

export const profiles = "mawps-user-profiles";
export const userDocuments = "mawps-user-documents";

/** The site's tables by their keys. */
const tables = {
  [profiles]: ["userId"],
  [userDocuments]: ["userId", "documentId"],
  "mawps-user-data": ["userId"],
  "mawps-api-settings": ["userId"],
  "mawps-api-keys": ["userId"],
  "mawps-applications": ["userId", "applicationId"],
  "mawps-resumes": ["userId", "resumeId"],
  "mawps-cover-letters": ["userId", "letterId"],
  "mawps-fokus-tagebuch": ["userId", "entryDate"],
  "mawps-onboarding-progress": ["userId"],
  "mawps-flashcard-decks": ["userId", "deckId"],
  "mawps-flashcards": ["deckId", "cardId"],
  "mawps-summaries": ["userId", "summaryId"],
  "mawps-singing-progress": ["userId"],
  "manuel-weiss-settings": ["settingKey"],
  "snowflake-highscores": ["id"],
  "task-suggestions": ["id"],
  bewerbungsprofile: ["userId"],
} as const;

/** Keys that nobody but the site may see. None of these opens anything. */
export const secrets = [
  "sk-test-global-1111111111111111",
  "sk-ant-test-2222222222222222",
  "AIza-test-3333333333333333",
  "sk-test-older-4444444444444444",
  "sk-test-settings-5555555555555555",
  "sk-test-own-6666666666666666",
  "sk-test-form-7777777777777777",
  "sk-test-entry-8888888888888888",
] as const;

/** Ids of the profile table's items that are no people. */
export const nobodies = ["api-settings#global", "global", "global-settings"] as const;

export async function makeTables(aws: Aws): Promise<void> {
  const dynamodb = await aws.dynamodb();
  for (const [TableName, keys] of Object.entries(tables)) {
    await dynamodb.send(
      new CreateTableCommand({
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: keys.map((AttributeName, at) => ({ AttributeName, KeyType: at === 0 ? "HASH" : "RANGE" })),
        AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      }),
    );
  }
}

export async function putItems(aws: Aws, people: People): Promise<void> {
  const rows: readonly (readonly [string, Record<string, unknown>, Record<string, AttributeValue>?])[] = [
    ...profileItems(people),
    ...settings(people),
    ...documentItems(people),
    ...otherTables(people),
  ];
  const dynamodb = await aws.dynamodb();
  for (const [TableName, plain, more] of rows) {
    await dynamodb.send(new PutItemCommand({ TableName, Item: { ...typed(plain).M, ...more } }));
  }
}

type Row = readonly [table: string, item: Record<string, unknown>, more?: Record<string, AttributeValue>];

function profileItems({ lena, tomas, mira, ruth }: People): Row[] {
  const hero = addressOf(publicMedia, heroKey);
  return [
    [
      profiles,
      {
        userId: "owner",
        type: "website-images",
        profileImageDefault: hero,
        profileImageHover: hero,
        rentalImages: { fotobox: [addressOf(userFiles, openKeys[0])] },
        updatedAt: "2025-11-16T23:02:01.711Z",
      },
    ],
    [
      profiles,
      {
        userId: lena,
        email: addresses.lena,
        firstName: "Lena",
        lastName: "Beispiel",
        phone: "",
        location: "Konstanz",
        profileImageUrl: addressOf(profileImages, avatarKeys.today(lena)),
        emailNotifications: true,
        theme: "dark",
        language: "de",
        access: {
          features: { personality_song: true },
          updatedAt: "2026-01-10T10:00:00.000Z",
          updatedBy: "admin",
        },
        settings: { ai: { provider: "openai", apiKey: secrets[5] } },
        resumes: [{ id: "resume-1", name: "resume.pdf", s3Key: documentKeys.resume(lena) }],
        coverLetters: [{ id: "letter-1", title: "Anschreiben", content: "Sehr geehrte Damen und Herren" }],
        applications: [{ id: "application-1", company: "Muster AG", status: "sent" }],
        photos: [{ id: "photo-1", dataUrl: "data:image/png;base64,iVBORw0KGgo=" }],
        workflows: { "bewerbung-1": { step: 3, data: { stelle: "Beraterin" } } },
        documents: [
          formerEntry("doc-lena-1", "Lebenslauf.pdf", "cv", documentKeys.former(lena)),
          {
            id: "1757000000001",
            name: "lebenslauf.pdf",
            size: pdf(documentKeys.today(lena)).byteLength,
            fileType: "application/pdf",
            category: "cv",
            createdAt: "2025-09-04T15:33:20.001Z",
            url: addressOf(profileImages, documentKeys.today(lena)),
            storage: "aws-s3",
            s3Key: documentKeys.today(lena),
          },
          {
            id: "1757000000009",
            name: "notiz.txt",
            size: 5,
            fileType: "text/plain",
            category: "other",
            createdAt: "2025-09-04T15:40:00.000Z",
            storage: "local",
            dataUrl: `data:text/plain;base64,${Buffer.from("Notiz").toString("base64")}`,
          },
          {
            id: "1757000000010",
            name: "brief.txt",
            uploadToken: secrets[7],
            size: 5,
            fileType: "text/plain",
            category: "cover-letter",
            createdAt: "2025-09-04T15:41:00.000Z",
            storage: "local",
            url: `data:text/plain;base64,${Buffer.from("Brief").toString("base64")}`,
          },
        ],
        progressData: {
          pages: {
            ikigai: {
              visitCount: 3,
              completed: false,
              completionPercentage: 45,
              lastVisit: "2025-11-13T19:30:00.000Z",
              formData: { "was-ich-liebe": "Beratung", coach: { openaiApiKey: secrets[6] } },
            },
            mbti: {
              firstVisit: "2025-11-14T10:00:00.000Z",
              visitCount: 1,
              completed: true,
              completionPercentage: 100,
              results: [{ type: "INTJ" }],
              pageType: "test",
            },
          },
          sections: {
            bewerbungsmanager: {
              "step-1": { data: { anforderungen: "keine" }, updatedAt: "2026-01-15T14:30:00.000Z" },
            },
          },
          // The newer tracker: the mean of the pages that were visited.
          overallStats: { totalPages: 2, visitedPages: 2, completedPages: 1, completionPercentage: 73 },
        },
        lastProgressUpdate: "2025-11-14T10:45:00.000Z",
        updatedAt: "2026-01-15T14:30:00.000Z",
      },
      foreignAttributes,
    ],
    [
      profiles,
      {
        userId: tomas,
        type: "user-profile",
        email: addresses.tomas,
        name: "Tomas Beispiel",
        profileImage: addressOf(userFiles, avatarKeys.former(tomas)),
        documents: [
          formerEntry("doc-tomas-1", "Lebenslauf.pdf", "cv", documentKeys.former(tomas)),
          formerEntry("doc-tomas-2", "Zeugnis.pdf", "certificate", documentKeys.formerCertificate(tomas)),
          formerEntry("doc-tomas-3", "Zeugnis Müller.PDF", "certificate", documentKeys.formerUsers(tomas)),
        ],
        progressData: {
          pages: {
            values: {
              visitCount: 2,
              completed: true,
              completionPercentage: 100,
              firstVisit: "2025-06-01T10:00:00.000Z",
              lastVisit: "2025-06-02T10:00:00.000Z",
              testResults: { type: "INFP", scores: { I: 65 } },
            },
          },
          sections: {},
          overallStats: { totalPages: 15, visitedPages: 1, completedPages: 1, completionPercentage: 7 },
        },
        lastProgressUpdate: "2025-06-02T10:00:00.000Z",
        createdAt: "2025-06-01T08:30:00.000Z",
        updatedAt: "2025-06-02T10:00:00.000Z",
      },
      foreignAttributes,
    ],
    [
      profiles,
      {
        userId: mira,
        email: addresses.mira,
        firstName: "Mira",
        emailNotifications: false,
        theme: "light",
        updatedAt: "2026-02-01T10:00:00.000Z",
      },
    ],
    [
      profiles,
      {
        userId: ruth,
        pk: `user#${ruth}`,
        sk: "progress",
        methods: JSON.stringify({ ikigai: { status: "completed" } }),
        achievements: "[]",
        stats: JSON.stringify({ totalMethods: 1, completedMethods: 1 }),
        lastUpdated: "2025-06-01T08:00:00.000Z",
      },
    ],
  ];
}

/** Items of the profile table that are no people. */
function settings({ lena }: People): Row[] {
  const access = (userId: string): Row => [
    profiles,
    {
      userId,
      access: {
        features: { personality_song: false },
        updatedAt: "2026-01-10T10:00:00.000Z",
        updatedBy: "admin",
      },
      updatedAt: "2026-01-10T10:00:00.000Z",
    },
  ];
  return [
    [
      profiles,
      {
        userId: nobodies[0],
        openai: { apiKey: secrets[0], model: "gpt-4.1", maxTokens: 1000, temperature: 0.7 },
        anthropic: JSON.stringify({ apiKey: secrets[1], model: "claude" }),
        google: { apiKey: secrets[2], model: "gemini-pro" },
        updatedAt: "2026-01-10T10:00:00.000Z",
      },
    ],
    [profiles, { userId: nobodies[1], openai: { apiKey: secrets[3] } }],
    [profiles, { userId: nobodies[2], apiKey: secrets[3], preferredProvider: "openai" }],
    access(addressWithoutAccount),
    access(addresses.lena),
    ["mawps-api-settings", { userId: lena, openai: { apiKey: "a:b:c" }, encrypted: true }],
    ["mawps-api-settings", { userId: "global", openai: { apiKey: secrets[4] } }],
    ["mawps-api-keys", { userId: lena, keyHash: "5e884898da28047151d0e56f8dc62927" }],
  ];
}

function documentItems({ lena, jonas }: People): Row[] {
  const entry = (userId: string, documentId: string, s3Key: string, documentType: string): Row => [
    userDocuments,
    {
      userId,
      documentId,
      fileName: s3Key.slice(s3Key.lastIndexOf("-") + 1),
      fileType: "application/pdf",
      fileSize: pdf(s3Key).byteLength,
      documentType,
      s3Key,
      uploadedAt: "2025-06-01T09:00:00.000Z",
      lastModified: "2025-06-01T09:00:00.000Z",
      metadata: {},
    },
  ];
  return [
    entry(lena, "api-doc-1", documentKeys.api(lena), "cv"),
    entry(jonas, "api-doc-2", documentKeys.apiCertificate(jonas), "certificate"),
  ];
}

function otherTables({ lena, tomas }: People): Row[] {
  return [
    ["mawps-user-data", { userId: tomas, data: JSON.stringify({ note: "alt" }) }],
    ["mawps-applications", { userId: lena, applicationId: "a-1", company: "Muster AG", status: "sent" }],
    ["mawps-resumes", { userId: lena, resumeId: "r-1", title: "Lebenslauf" }],
    ["mawps-cover-letters", { userId: lena, letterId: "l-1", title: "Anschreiben" }],
    ["mawps-fokus-tagebuch", { userId: lena, entryDate: "2026-02-01", text: "Heute" }],
    ["mawps-onboarding-progress", { userId: lena, step: 4 }],
    ["mawps-flashcard-decks", { userId: lena, deckId: "d-1", title: "Recht" }],
    ["mawps-flashcards", { deckId: "d-1", cardId: "c-1", front: "?", back: "!" }],
    ["mawps-summaries", { userId: lena, summaryId: "s-1", text: "Kurz" }],
    ["mawps-singing-progress", { userId: lena, level: 2 }],
    [
      "manuel-weiss-settings",
      { settingKey: "hero-video", videoUrl: addressOf("manuel-weiss-hero-videos", "hero/1748766000001.mp4") },
    ],
    ["snowflake-highscores", { id: "1", name: "Anna", score: 12 }],
    ["task-suggestions", { id: "t-1", text: "Mehr Bilder" }],
    ["bewerbungsprofile", { userId: lena, profile: { skills: ["HR"] } }],
  ];
}

/** As the former site wrote it. */
function formerEntry(id: string, name: string, type: string, s3Key: string): Record<string, unknown> {
  return {
    id,
    name,
    type,
    s3Key,
    s3Url: addressOf(userFiles, s3Key),
    size: pdf(s3Key).byteLength,
    uploadedAt: "2025-06-01T09:00:00.000Z",
  };
}
