import { parseCertificateAddress } from "../../../domain/gateways/certificate-address.ts";
import { APP_ROUTING, isAppRoutings } from "../../../domain/gateways/made-for.ts";
import { OWNER_RESOURCES, type OwnerKind, ownerKey } from "../../../domain/gateways/owner-kinds.ts";
import { servedClasses } from "../../../domain/gateways/served-classes.ts";
import { TLS_KEYS, type TlsEntry } from "../../../domain/gateways/tls-entry.ts";
import { type TlsOwner, tlsOwner } from "../../../domain/gateways/tls-owner.ts";
import { memberOf, nonEmptyText } from "../../../domain/json-members.ts";
import { type KubeObject, RESOURCES, type Resource, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { keyOf, objectKey } from "../../../domain/object-key.ts";
import { wordsOf } from "../../../domain/words.ts";
import { MORE_RESOURCES } from "../../shared/resources.ts";
import { readWorkerSettings, type SettingsInForce } from "../../shared/settings-in-force.ts";
import { listed, type Viewer } from "../../shared/viewer.ts";
import { type CheckResult, type InstallContext, on, orFine } from "./check.ts";

/** Kinds of classes that the operator names, each with its flag and the field that names its controller. */
const CLASSES = {
  Gateway: {
    flag: "gateway-classes",
    resource: MORE_RESOURCES.gatewayClasses,
    controller: "controllerName",
  },
  Ingress: {
    flag: "ingress-classes",
    resource: MORE_RESOURCES.ingressClasses,
    controller: "controller",
  },
} as const satisfies Record<OwnerKind, { readonly flag: keyof SettingsInForce; readonly resource: Resource; readonly controller: string }>;

/** Domain of App Routing's own Ingress controllers, the default one and others. */
const APP_ROUTING_DOMAIN = "approuting.kubernetes.azure.com";

const { fine, warn, skip, skipped } = on.gateways;

/**
 * Checks that each class of `--gateway-classes` and `--ingress-classes` exists and does not belong to App Routing, and that the certificate
 * addresses of their Gateways and Ingresses are valid.
 */
export async function checkGateways({ viewer, namespace }: InstallContext): Promise<readonly CheckResult[]> {
  const settings = await readWorkerSettings(viewer, namespace);
  if (settings.kind !== "seen") return [skipped(settings)];
  const named = { Gateway: wordsOf(settings.value["gateway-classes"]), Ingress: wordsOf(settings.value["ingress-classes"]) };
  if (named.Gateway.length + named.Ingress.length === 0)
    return [fine("no Gateway or Ingress gets a certificate: --gateway-classes and --ingress-classes are empty")];
  const { served, refused } = servedClasses(named);
  const results = refused.map(({ kind, name }) => left(kind, name));
  for (const kind of ["Gateway", "Ingress"] as const) {
    if (served[kind].length > 0) results.push(...(await checkKind(viewer, kind, served[kind])));
  }
  return orFine(results, fine("the named classes exist, and every certificate address is valid"));
}

function left(kind: OwnerKind, name: string): CheckResult {
  const { flag, resource } = CLASSES[kind];
  return warn(
    `${resource.kind} ${name} belongs to App Routing, the AKS add-on: the worker gives it no certificates`,
    `remove ${name} from --${flag}`,
  );
}

async function checkKind(viewer: Viewer, kind: OwnerKind, classNames: readonly string[]): Promise<readonly CheckResult[]> {
  const reading = await viewer.all<KubeObject>(OWNER_RESOURCES[kind]);
  const owners = listed(reading)
    .map((object) => tlsOwner(kind, object))
    .filter(({ className }) => classNames.includes(className));
  const results: CheckResult[] = [];
  for (const name of classNames) {
    const ofClass = owners.filter(({ className }) => className === name);
    results.push(...(await checkOwnerClass(viewer, { kind, name, owners: ofClass })));
  }
  // checkOwnerClass reports a kind that the API server does not serve.
  if (reading.kind !== "seen" && reading.kind !== "unserved") results.push(skipped(reading));
  return [...results, ...owners.flatMap((owner) => owner.entries.flatMap((entry) => problemOf(owner, entry)))];
}

interface OwnerClass {
  readonly kind: OwnerKind;
  readonly name: string;
  /** Gateways or Ingresses of the class. */
  readonly owners: readonly TlsOwner[];
}

async function checkOwnerClass(viewer: Viewer, { kind, name, owners }: OwnerClass): Promise<readonly CheckResult[]> {
  const { flag, resource, controller } = CLASSES[kind];
  const reading = await viewer.object<KubeObject>(resource, { name });
  if (reading.kind === "unserved")
    return [skip(`${resource.kind} ${name}: the Gateway API is not installed`, "install it; the worker then starts automatically")];
  if (reading.kind === "absent") return [warn(`${resource.kind} ${name} does not exist`, `create it, or correct --${flag}`)];
  if (reading.kind === "unseen") return [skipped(reading)];
  const { labels = {} } = reading.value.metadata;
  const by = nonEmptyText(memberOf(reading.value, "spec")[controller]) ?? "";
  const [domain = ""] = by.split("/");
  const isOfAppRouting = labels["app.kubernetes.io/managed-by"] === APP_ROUTING || domain.endsWith(APP_ROUTING_DOMAIN);
  const remove = `remove ${name} from --${flag}`;
  if (isOfAppRouting)
    return [
      warn(
        `${resource.kind} ${name} belongs to App Routing, which writes the same classes and takes over objects with their names`,
        remove,
      ),
    ];
  const written = await writtenByAppRouting(viewer, owners);
  return written === undefined
    ? []
    : [warn(`${resource.kind} ${name}: App Routing, the AKS add-on, serves it too, and has written ${written}`, remove)];
}

/**
 * Names a class that App Routing wrote for one of the owners. App Routing selects the GatewayClass `istio` by its name, so the GatewayClass
 * itself may have no sign of App Routing.
 */
async function writtenByAppRouting(viewer: Viewer, owners: readonly TlsOwner[]): Promise<string | undefined> {
  const classes = listed(await viewer.all<SecretProviderClass>(RESOURCES.secretProviderClasses)).filter(isAppRoutings);
  const written = new Set(classes.map(keyOf));
  for (const { kind, object, entries } of owners) {
    const { namespace } = object.metadata;
    const keys = entries.filter(({ address }) => address !== undefined).map(({ className: name }) => objectKey({ namespace, name }));
    const key = keys.find((each) => written.has(each));
    if (key !== undefined) return `${RESOURCES.secretProviderClasses.kind} ${key} for ${ownerKey(kind, object.metadata)}`;
  }
  return undefined;
}

function problemOf({ kind, object }: TlsOwner, { address, field, problem }: TlsEntry): readonly CheckResult[] {
  if (address === undefined) return [];
  const read = parseCertificateAddress(address);
  const why = problem ?? (read.ok ? undefined : `${field}: ${TLS_KEYS.address} ${read.error}`);
  if (why === undefined) return [];
  return [warn(`${ownerKey(kind, object.metadata)}: ${why}`, `correct it; the events of the ${kind} report the same`)];
}
