import { classKeysOn, misplacedWords } from "../../domain/annotation-places.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { type Viewer, type ViewResult, valueIn } from "../shared/viewer.ts";
import { type ExplanationStep, say } from "./explanation.ts";

/** Maximum number of Secrets of a class to read. Each takes one request. */
const MOST_SECRETS_READ = 12;

interface MisplacedOf {
  readonly namespace: string;
  readonly spc: SecretProviderClass;
  readonly reading: ViewResult<SecretProviderClassSync>;
}

/** Reports keys of the class on its status or its Secrets, where they have no effect. Omits Secrets that the user may not read. */
export async function misplacedSteps(viewer: Viewer, { namespace, spc, reading }: MisplacedOf): Promise<readonly ExplanationStep[]> {
  const place = `on SecretProviderClass ${namespace}/${spc.metadata.name}`;
  const said = (what: string, metadata: Partial<KubeObject["metadata"]> = {}) =>
    classKeysOn(metadata, spc.metadata).map((misplaced) => {
      const { fault, fix } = misplacedWords(misplaced, place);
      return `${what}: ${fault}: ${fix}`;
    });
  const steps = said(`SecretProviderClassSync ${spc.metadata.name}`, valueIn(reading)?.metadata).map(say.sync.warning);
  for (const { secretName: name } of secretObjectsOf(spc).slice(0, MOST_SECRETS_READ)) {
    const secret = await viewer.metadata(RESOURCES.secrets, { namespace, name });
    steps.push(...said(`Secret ${name}`, valueIn(secret)?.metadata).map(say.secret.warning));
  }
  return steps;
}
