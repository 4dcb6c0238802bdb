/** Types the commands of docs/how-to/from-external-secrets.md unchanged. */
import { readRepositoryFile } from "../../../tools/repository-files.ts";
import { fencedBlocks } from "../../support/docs/markdown.ts";

export const HOW_TO = readRepositoryFile("docs/how-to/from-external-secrets.md");

/** An ExternalSecret to move. */
export interface Moving {
  readonly name: string;
  readonly secret: string;
  readonly creationPolicy: string;
}

/** Returns the blocks of shell commands below a second-level heading. */
export function commandsUnder(heading: string): readonly string[] {
  const start = HOW_TO.indexOf(`\n## ${heading}\n`);
  if (start < 0) throw new Error(`the how-to has no heading ${heading}`);
  const end = HOW_TO.indexOf("\n## ", start + 1);
  return fencedBlocks(HOW_TO.slice(start, end))
    .filter(({ language }) => language === "sh")
    .map(({ text }) => text.trim());
}

/** Adapts a command. The page moves the ExternalSecret `database`, whose Secret is `database-login`. */
export function commandFor(command: string, { name, secret }: Moving): string {
  return command
    .replaceAll("externalsecret database ", `externalsecret ${name} `)
    .replaceAll("secret database-login ", `secret ${secret} `)
    .replaceAll("adoptable-by=database", `adoptable-by=${name}`)
    .replaceAll("spcsync/database ", `spcsync/${name} `);
}

/** Returns the commands of a block. */
export function linesOf(block: string): readonly string[] {
  return block.replaceAll(/\\\n\s*/g, "").split("\n");
}
