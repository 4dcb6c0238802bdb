import type { Colour } from "../../shared/terminal.ts";

/** `SKIP`: the user lacks a permission, or the object to check does not exist, so the state is unknown. */
export type CheckState = "OK" | "WARN" | "FAIL" | "SKIP";

export const STATE_COLOURS: Readonly<Record<CheckState, Colour>> = { OK: "green", WARN: "yellow", FAIL: "red", SKIP: "cyan" };

/** Steps of the tree, in order. A failed step ends the way to the vault; the later steps in the cluster still run. */
export const CLASS_STEPS = {
  class: "the class exists, and the Azure provider can parse it",
  identity: "the identity that the class uses for the vault is available",
  network: "DNS, proxy, TCP, and TLS work for the sign-in service and the vault",
  token: "the sign-in service issues a token for the identity",
  permission: "the vault accepts the token and allows reads",
  object: "each object exists, is enabled and valid, and has the type that the class specifies",
  status: "the worker reports the class as synced",
  restarts: "workloads that use the class and request restarts have the current versions of its objects, or will get them automatically",
  secret: "each Secret in the cluster matches the status of the class",
} as const;

export type ClassStep = keyof typeof CLASS_STEPS;

interface Leaf {
  readonly step: ClassStep;
  readonly state: CheckState;
  readonly meaning: string;
}

const leaf = <State extends CheckState>(step: ClassStep, state: State, meaning: string): Leaf & { readonly state: State } => ({
  step,
  state,
  meaning,
});

/** Every end of the tree. `docs/reference/doctor.md` has a row for each, and a test plants each. */
export const LEAVES = {
  "class-ok": leaf("class", "OK", "the class is readable"),
  "class-absent": leaf("class", "FAIL", "the class does not exist"),
  "class-unreadable": leaf("class", "SKIP", "you cannot read the class"),
  "class-not-azure": leaf("class", "OK", "the class belongs to another provider, so keyvault-injector ignores it"),
  "class-invalid": leaf("class", "FAIL", "the provider rejects the class"),
  "class-limited": leaf(
    "class",
    "FAIL",
    "the worker's settings do not allow the vault or the identity mode of the class, or the namespace is not allowed to use the node's identity",
  ),
  "secret-object-invalid": leaf(
    "class",
    "FAIL",
    "an entry of `secretObjects` is invalid, or the objects of the class cannot produce its Secret",
  ),

  "identity-ok": leaf("identity", "OK", "the identity is available"),
  "identity-unsupported": leaf("identity", "FAIL", "mounts can use this identity, but synced Secrets cannot"),
  "credentials-unreadable": leaf("identity", "SKIP", "you cannot read the credentials Secret"),
  "credentials-not-allowed": leaf(
    "identity",
    "FAIL",
    "the setting `--credentials-secret-names` does not contain the name of the credentials Secret, so the worker is not allowed to read that Secret",
  ),
  "credentials-absent": leaf("identity", "FAIL", "the credentials Secret does not exist"),
  "credentials-incomplete": leaf("identity", "FAIL", "a key of the credentials Secret is missing, empty, or still a placeholder"),
  "credentials-padded": leaf("identity", "FAIL", "a value in the credentials Secret begins or ends with whitespace"),
  "account-unknown": leaf("identity", "FAIL", "`doctor` finds no ServiceAccount for the token exchange, or more than one"),
  "account-absent": leaf("identity", "FAIL", "the ServiceAccount does not exist"),
  "account-not-granted": leaf("identity", "FAIL", "the Namespace does not let the worker request tokens for the ServiceAccount"),
  "token-request-forbidden": leaf("identity", "SKIP", "you cannot request tokens for the ServiceAccount"),
  "cloud-elsewhere": leaf("identity", "SKIP", "only the worker's pod has the file that describes the cloud"),
  "identity-binding-elsewhere": leaf("identity", "SKIP", "only pods in the cluster can reach the token proxy of an identity binding"),
  "managed-identity-elsewhere": leaf(
    "identity",
    "SKIP",
    "the identity belongs to the worker's node, so only pods in the cluster can use it",
  ),

  "network-ok": leaf("network", "OK", "`doctor` can reach the host and trusts its certificate"),
  "host-unresolved": leaf(
    "network",
    "FAIL",
    "DNS does not have the host name. For the host of a vault, this usually means that the vault does not exist. For the host of the sign-in service, it means that DNS or egress is broken",
  ),
  "name-service-silent": leaf("network", "FAIL", "the DNS server does not answer"),
  "proxy-unreachable": leaf("network", "FAIL", "`doctor` cannot reach the proxy that your environment specifies"),
  "proxy-refuses": leaf(
    "network",
    "FAIL",
    "the proxy does not open a tunnel, because it blocks the host or because the host name does not exist",
  ),
  "host-refuses": leaf("network", "FAIL", "the host refuses or drops the connection"),
  "host-silent": leaf("network", "FAIL", "the host does not answer in time"),
  "authority-unknown": leaf("network", "FAIL", "this machine does not trust the CA that signed the certificate"),
  "certificate-wrong": leaf("network", "FAIL", "the certificate is damaged, has expired, or belongs to another host"),
  "network-elsewhere": leaf(
    "network",
    "SKIP",
    "this machine cannot reach the host, but the worker has received a response from it, or a pod has the class mounted",
  ),

  "token-ok": leaf("token", "OK", "the identity can sign in"),
  "client-secret-wrong": leaf("token", "FAIL", "AADSTS7000215: the client secret does not belong to the application"),
  "client-secret-expired": leaf("token", "FAIL", "AADSTS7000222: the client secret has expired"),
  "application-unknown": leaf("token", "FAIL", "AADSTS700016: the application does not exist in the tenant"),
  "tenant-unknown": leaf("token", "FAIL", "AADSTS90002: the tenant does not exist"),
  "not-federated": leaf("token", "FAIL", "AADSTS70021 and related codes: the identity has no federated credential for the ServiceAccount"),
  "identity-binding-refused": leaf("token", "FAIL", "the cluster has no token proxy, or the proxy does not issue a token for the identity"),
  "managed-identity-refused": leaf("token", "FAIL", "the node does not have that managed identity"),
  "token-refused": leaf("token", "FAIL", "the sign-in service rejects the request for another reason"),
  "token-unanswered": leaf("token", "FAIL", "the sign-in service or the node's metadata service does not return a valid response"),

  "permission-ok": leaf("permission", "OK", "the vault allows the identity to read objects"),
  "vault-other-tenant": leaf("permission", "FAIL", "the vault rejects the token, because the token belongs to another tenant"),
  "permission-missing": leaf("permission", "FAIL", "the identity has no role or access policy that allows the read"),
  "vault-firewall": leaf("permission", "FAIL", "the vault's firewall rejects the address of this machine"),
  "vault-private": leaf("permission", "FAIL", "the vault accepts only private link connections"),
  "vault-perimeter": leaf("permission", "FAIL", "the vault's network security perimeter rejects the connection"),
  "vault-throttles": leaf("permission", "WARN", "the vault throttles the requests (429)"),
  "vault-api-version": leaf("permission", "FAIL", "the vault does not support the requested API version"),
  "vault-fails": leaf("permission", "FAIL", "the vault does not return a valid response"),

  "object-ok": leaf("object", "OK", "the object is readable"),
  "object-absent": leaf("object", "FAIL", "the object, or the version that the class specifies, does not exist in the vault"),
  "object-wrong-type": leaf("object", "FAIL", "the vault has an object with that name, but the object has another type"),
  "object-disabled": leaf("object", "FAIL", "the version is disabled"),
  "object-expired": leaf("object", "WARN", "the version has expired"),
  "object-not-yet-valid": leaf("object", "WARN", "the version is not valid yet"),
  "object-invalid": leaf("object", "FAIL", "the worker cannot convert the object to the file that the class defines"),

  "status-ok": leaf("status", "OK", "the worker syncs the class or tracks its object versions for restarts"),
  "status-off": leaf("status", "OK", "the worker intentionally does not sync the class, for the reason in the message"),
  "status-unreadable": leaf("status", "SKIP", "you cannot read the status"),
  "status-absent": leaf("status", "WARN", "the worker has not written a status for the class"),
  "status-outdated": leaf("status", "WARN", "the class changed after the worker last reconciled it"),
  "status-failing": leaf("status", "FAIL", "the worker cannot sync the class or track its object versions"),

  "restarts-ok": leaf("restarts", "OK", "all pods of workloads that request restarts have the current versions"),
  "restarts-waiting": leaf("restarts", "OK", "a restart is in progress, or will begin automatically later"),
  "restarts-held": leaf("restarts", "WARN", "someone must act before a restart can begin"),
  "restarts-halted": leaf("restarts", "FAIL", "a failed restart blocks all other restarts in the namespace"),
  "restarts-unknown": leaf("restarts", "SKIP", "the object versions in the pods are currently unknown"),

  "secret-ok": leaf("secret", "OK", "the Secret matches the status"),
  "secret-unreadable": leaf("secret", "SKIP", "you cannot read the Secret"),
  "secret-absent": leaf("secret", "FAIL", "the Secret does not exist"),
  "secret-foreign": leaf("secret", "FAIL", "the worker does not manage the Secret, or the Secret belongs to another class"),
  "secret-edited": leaf("secret", "FAIL", "the content of the Secret differs from what the worker wrote"),
  "secret-differs": leaf("secret", "FAIL", "the object versions in the Secret differ from those in the status"),
  "secret-behind": leaf("secret", "WARN", "the vault has a newer version than the Secret"),
} as const satisfies Readonly<Record<string, Leaf>>;

export type LeafName = keyof typeof LEAVES;

/** One end of the tree. `fix` is one sentence of advice, absent if the user has nothing to do. */
export interface ClassFinding {
  readonly leaf: LeafName;
  readonly step: ClassStep;
  readonly state: CheckState;
  /** Result; never contains a value, a token, or a credential. */
  readonly message: string;
  readonly fix?: string;
}

type NameWith<State extends CheckState> = {
  [Name in LeafName]: (typeof LEAVES)[Name]["state"] extends State ? Name : never;
}[LeafName];

export function fineLeaf(name: NameWith<"OK">, message: string): ClassFinding {
  const { step, state } = LEAVES[name];
  return { leaf: name, step, state, message };
}

/** Returns a finding with advice, which every state but `OK` needs. */
export function found(name: NameWith<"FAIL" | "WARN" | "SKIP">, message: string, fix: string): ClassFinding {
  const { step, state } = LEAVES[name];
  return { leaf: name, step, state, message, fix };
}
