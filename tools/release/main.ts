/**
 * `npm run release -- VERSION [--raise] [--output FOLDER] [--unsigned] [--uncommitted]`: builds a release, and pushes it if
 * KEYVAULT_INJECTOR_REGISTRY names a registry. `--raise` instead raises the version of the checkout. Prints each stage on stderr. For the
 * variables, see docs/how-to/build-a-release.md.
 */
import path from "node:path";
import { PROJECT } from "../helm-chart/project.ts";
import { scriptArguments } from "../script-arguments.ts";
import { chartSigning } from "./chart-provenance.ts";
import { makeRelease, uncommitted } from "./make-release.ts";
import { publish, writeSignedProvenance } from "./publish.ts";
import { isLater, raiseVersion } from "./raise-version.ts";
import { Registry } from "./registry.ts";
import { signing } from "./sign.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** Error in arguments or settings. The text contains the fix. */
class Refusal extends Error {}

interface Request {
  /** Version to which the command raises the checkout, without a build. */
  readonly raiseTo: string | undefined;
  readonly folder: string;
  readonly registry: string | undefined;
  readonly isUnsigned: boolean;
}

function readArguments(): Request {
  const { values, positionals } = scriptArguments("npm run release -- VERSION [--raise] [--output FOLDER] [--unsigned] [--uncommitted]", {
    allowPositionals: true,
    options: {
      output: { type: "string" },
      unsigned: { type: "boolean", default: false },
      uncommitted: { type: "boolean", default: false },
      raise: { type: "boolean", default: false },
    },
  });
  const [version, ...more] = positionals;
  if (version === undefined || more.length > 0) throw new Refusal("name the version: npm run release -- VERSION");
  if (/^v\d/.test(version)) throw new Refusal(`write the version without v: npm run release -- ${version.slice(1)}`);
  if (values.raise && !isLater(version, PROJECT.version)) throw new Refusal(`${version} is no version after ${PROJECT.version}, as 1.2.3`);
  if (!values.raise && version !== PROJECT.version)
    throw new Refusal(`package.json has the version ${PROJECT.version}, not ${version}: raise it by npm run release -- ${version} --raise`);
  const changed = uncommitted();
  if (changed.length > 0 && !values.uncommitted)
    throw new Refusal(`commit these first, or try it out with --uncommitted:\n${changed.join("\n")}`);
  return {
    raiseTo: values.raise ? version : undefined,
    folder: path.resolve(values.output ?? path.join(root, "release", version)),
    registry: setting("REGISTRY"),
    isUnsigned: values.unsigned,
  };
}

/** Value of `KEYVAULT_INJECTOR_<name>`. Undefined if it is unset or empty. */
function setting(name: string): string | undefined {
  return process.env[`KEYVAULT_INJECTOR_${name}`] || undefined;
}

/** Raises the version of the checkout, and prints the next steps. */
function raise(to: string): void {
  const date = new Date().toISOString().slice(0, 10);
  for (const file of raiseVersion({ root, from: PROJECT.version, to, date })) console.log(file);
  console.log(`next: npm run render-manifests, read git diff (docs/how-to/upgrade.md is yours to write), commit, npm run release -- ${to}`);
}

async function main(): Promise<void> {
  const { raiseTo, folder, registry, isUnsigned } = readArguments();
  if (raiseTo !== undefined) return raise(raiseTo);
  const hasIdentity = process.env["ACTIONS_ID_TOKEN_REQUEST_URL"] !== undefined;
  const sign = isUnsigned ? undefined : signing({ key: setting("SIGNING_KEY"), passphrase: setting("SIGNING_PASSPHRASE"), hasIdentity });
  if (registry !== undefined && sign === undefined && !isUnsigned)
    throw new Refusal("set KEYVAULT_INJECTOR_SIGNING_KEY to a file with a P-256 key, or push without signatures by --unsigned");
  if (registry === undefined)
    console.error(
      "warning: KEYVAULT_INJECTOR_REGISTRY is not set, so the chart and the manifests will name an image that only nodes with a loaded image can run",
    );
  const chartKey = setting("CHART_KEY");
  const signChart = chartKey === undefined ? undefined : await chartSigning({ file: chartKey, passphrase: setting("CHART_PASSPHRASE") });
  const release = await makeRelease({ folder, registry, signChart, onStage: (stage) => console.error(stage) });
  for (const file of release.files) console.log(path.relative(process.cwd(), path.join(folder, file)));
  if (registry === undefined) {
    if (sign !== undefined) await writeSignedProvenance(release, sign);
    console.log(`image ${release.image.index.digest}; not pushed: KEYVAULT_INJECTOR_REGISTRY is not set`);
    return;
  }
  console.error(`pushing to ${registry}`);
  const [user, password] = [setting("REGISTRY_USER"), setting("REGISTRY_PASSWORD")];
  const credentials = user === undefined || password === undefined ? undefined : { user, password };
  for (const pushed of await publish(release, new Registry(registry, credentials), sign)) console.log(`pushed ${registry}/${pushed}`);
  if (sign === undefined) console.log("nothing is signed");
}

await main().catch((error: unknown) => {
  console.error(`release: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof Refusal ? 2 : 1;
});
