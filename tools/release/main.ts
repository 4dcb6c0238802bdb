/**
 * `npm run release -- VERSION [--output FOLDER] [--unsigned] [--uncommitted]`: makes a release, and pushes it where
 * KEYVAULT_INJECTOR_REGISTRY names a registry. docs/how-to/build-a-release.md has the variables.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { PROJECT } from "../helm-chart/project.ts";
import { makeRelease, uncommitted } from "./make-release.ts";
import { publish, writeSignedProvenance } from "./publish.ts";
import { Registry } from "./registry.ts";
import { signing } from "./sign.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** What was typed or set cannot be done; the text says what to do. */
class Refusal extends Error {}

interface Request {
  readonly folder: string;
  readonly registry: string | undefined;
  readonly isUnsigned: boolean;
}

function readArguments(): Request {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      output: { type: "string" },
      unsigned: { type: "boolean", default: false },
      uncommitted: { type: "boolean", default: false },
    },
  });
  const [version, ...more] = positionals;
  if (version === undefined || more.length > 0) throw new Refusal("name the version: npm run release -- VERSION");
  if (version !== PROJECT.version)
    throw new Refusal(`package.json has the version ${PROJECT.version}, not ${version}: raise it, render the manifests, commit`);
  const changed = uncommitted();
  if (changed.length > 0 && !values.uncommitted)
    throw new Refusal(`commit these first, or try it out with --uncommitted:\n${changed.join("\n")}`);
  return {
    folder: path.resolve(values.output ?? path.join(root, "release", version)),
    registry: setting("REGISTRY"),
    isUnsigned: values.unsigned,
  };
}

/** `KEYVAULT_INJECTOR_<name>`; undefined where it is unset or empty. */
function setting(name: string): string | undefined {
  return process.env[`KEYVAULT_INJECTOR_${name}`] || undefined;
}

async function main(): Promise<void> {
  const { folder, registry, isUnsigned } = readArguments();
  const hasIdentity = process.env["ACTIONS_ID_TOKEN_REQUEST_URL"] !== undefined;
  const sign = isUnsigned ? undefined : signing({ key: setting("SIGNING_KEY"), passphrase: setting("SIGNING_PASSPHRASE"), hasIdentity });
  if (registry !== undefined && sign === undefined && !isUnsigned)
    throw new Refusal("set KEYVAULT_INJECTOR_SIGNING_KEY to a file with a P-256 key, or push without signatures by --unsigned");
  const release = await makeRelease({ folder, registry });
  for (const file of release.files) console.log(path.relative(process.cwd(), path.join(folder, file)));
  if (registry === undefined) {
    if (sign !== undefined) await writeSignedProvenance(release, sign);
    console.log(`image ${release.image.index.digest}; not pushed: KEYVAULT_INJECTOR_REGISTRY is not set`);
    return;
  }
  const [user, password] = [setting("REGISTRY_USER"), setting("REGISTRY_PASSWORD")];
  const credentials = user === undefined || password === undefined ? undefined : { user, password };
  for (const pushed of await publish(release, new Registry(registry, credentials), sign)) console.log(`pushed ${registry}/${pushed}`);
  if (sign === undefined) console.log("nothing is signed");
}

await main().catch((error: unknown) => {
  console.error(`release: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof Refusal ? 2 : 1;
});
