// Writes src/api/schema.ts, the types of all that crosses the API, from its description on standard input:
//   python tools/types/describe.py | npm run types
// It is made anew for each check and kept out of version control, so it cannot drift; nothing of it is in the built page.
import { writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import openapiTS, { astToString } from "openapi-typescript";

const description = JSON.parse(await text(process.stdin));
const target = new URL("../../src/api/schema.ts", import.meta.url);
writeFileSync(target, `// Made by tools/types/make.mjs from the API's description. Not to be edited.\n${astToString(await openapiTS(description))}`);
