/** Runs the written cases of the provider's contract on both sides. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { CloudName } from "../../../tools/key-vault-emulator/network/clouds.ts";
import type { Compared } from "./comparison.ts";
import { inTurn } from "./in-turn.ts";
import { rowByText } from "./listed-rows.ts";
import { item, objectsText, type ProviderCase } from "./provider-case.ts";
import { CLOUD_FILE_CASES, CLOUD_FILES } from "./provider-cases-cloud-files.ts";
import { CONTENT_CASES } from "./provider-cases-content.ts";
import { OBJECT_KEY_CASES } from "./provider-cases-object-keys.ts";
import { OBJECT_CASES } from "./provider-cases-objects.ts";
import { PARAMETER_CASES } from "./provider-cases-parameters.ts";
import { SIGN_IN_CASES } from "./provider-cases-sign-in.ts";
import type { Place } from "./provider-places.ts";
import type { ProviderWorld } from "./provider-world.ts";

const WORKING_OBJECTS = objectsText([item("secret", "secret1")]);

type Values = Readonly<Record<string, string | undefined>>;

const replaced = (values: Values, { replace }: Place): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, replace(value)]])));

/** Removes undefined entries. */
const given = <Value extends object>(value: Value): { readonly [Key in keyof Value]: Exclude<Value[Key], undefined> } =>
  // The type excludes exactly the removed entries.
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never;

async function runCase(world: ProviderWorld, written: ProviderCase, place: Place): Promise<Compared> {
  const { id, rows, parameters = {}, objects = WORKING_OBJECTS, credentials, setting, listed, tokens, token = "$TOKEN", pod } = written;
  const text = typeof objects === "string" ? objects : objectsText(objects);
  const answers = await world.ask({
    parameters: replaced({ keyvaultName: "$VAULT", tenantID: "$TENANT", objects: text, ...parameters }, place),
    credentials: credentials === undefined ? place.vault.credentials : credentials && replaced(credentials, place),
    token: place.replace(token),
    ...given({ setting, pod, tokens: tokens === undefined ? undefined : place.replace(tokens) }),
  });
  return { id, rows, isGenerated: false, ...answers, ...given({ listed: listed ?? rowByText(answers.ours, answers.theirs) }) };
}

type PlaceIn = (cloud: CloudName) => Place;

export async function providerCases(world: ProviderWorld, placeIn: PlaceIn): Promise<readonly Compared[]> {
  const run = (written: ProviderCase) => runCase(world, written, placeIn(written.cloud ?? "public"));
  const cases = await inTurn([...PARAMETER_CASES, ...OBJECT_CASES, ...OBJECT_KEY_CASES, ...CONTENT_CASES, ...SIGN_IN_CASES], run);
  for (const [name, contents] of Object.entries(CLOUD_FILES)) await writeFile(join(world.folder, name), contents);
  return [...cases, ...(await inTurn(CLOUD_FILE_CASES, run, 1))];
}
