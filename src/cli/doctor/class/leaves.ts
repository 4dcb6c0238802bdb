import type { Colour } from "../../shared/terminal.ts";

/** `SKIP`: the user may not look, or what would be looked at is not there, so nothing is known. */
export type CheckState = "OK" | "WARN" | "FAIL" | "SKIP";

export const STATE_COLOURS: Readonly<Record<CheckState, Colour>> = { OK: "green", WARN: "yellow", FAIL: "red", SKIP: "cyan" };

/** The steps of the tree, in their order. A step that fails ends the way to the vault; what is in the cluster is looked at all the same. */
export const CLASS_STEPS = {
  class: "the class is there and can be read the way the Azure provider reads it",
  identity: "who asks the vault, and whether that identity is available",
  network: "name, proxy, TCP and TLS of the sign-in service and of the vault",
  token: "the sign-in service gives the identity a token",
  permission: "the vault takes the token and lets it read",
  object: "each object is there, enabled and valid, and of the type that the class says",
  status: "what the worker says of the class",
  restarts: "workloads that use the class and ask for restarts have its versions, or get them by themselves",
  secret: "each live Secret is what the status says",
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

/** Every way in which the tree ends. `docs/reference/doctor.md` has a row for each, and a test plants each. */
export const LEAVES = {
  "class-ok": leaf("class", "OK", "the class is readable"),
  "class-absent": leaf("class", "FAIL", "there is no such class"),
  "class-unreadable": leaf("class", "SKIP", "you may not read the class"),
  "class-not-azure": leaf("class", "OK", "another provider's class: nothing of it is ours"),
  "class-invalid": leaf("class", "FAIL", "the provider refuses the class as it is written"),
  "class-limited": leaf("class", "FAIL", "the operator's limits leave out the vault, the identity mode, or the namespace"),
  "secret-object-invalid": leaf("class", "FAIL", "a secretObject gives no Secret, as it is written or from these objects"),

  "identity-ok": leaf("identity", "OK", "the identity is available"),
  "identity-unsupported": leaf("identity", "FAIL", "an identity that only a mount can use"),
  "credentials-unreadable": leaf("identity", "SKIP", "you may not read the credentials Secret"),
  "credentials-not-allowed": leaf("identity", "FAIL", "the worker may not read a Secret of that name"),
  "credentials-absent": leaf("identity", "FAIL", "there is no credentials Secret"),
  "credentials-incomplete": leaf("identity", "FAIL", "the credentials Secret lacks a key, or has an empty one"),
  "credentials-padded": leaf("identity", "FAIL", "a value of the credentials Secret begins or ends with white space"),
  "account-unknown": leaf("identity", "FAIL", "no ServiceAccount, or more than one, whose token could be exchanged"),
  "account-absent": leaf("identity", "FAIL", "there is no such ServiceAccount"),
  "account-not-granted": leaf("identity", "FAIL", "the Namespace does not let the worker ask for a token of the ServiceAccount"),
  "token-request-forbidden": leaf("identity", "SKIP", "you may not ask for a token of the ServiceAccount"),
  "cloud-elsewhere": leaf("identity", "SKIP", "the cloud is described by a file that only the worker's pod has"),
  "identity-binding-elsewhere": leaf("identity", "SKIP", "an identity binding's token proxy is reached from pods of the cluster only"),
  "managed-identity-elsewhere": leaf("identity", "SKIP", "a managed identity is the worker's node's: only a pod of the cluster has it"),

  "network-ok": leaf("network", "OK", "the host is reached and its certificate is trusted"),
  "host-unresolved": leaf(
    "network",
    "FAIL",
    "the name does not exist: of a vault, that there is no such vault; of the sign-in service, that DNS or the way out is broken",
  ),
  "name-service-silent": leaf("network", "FAIL", "the name service does not answer"),
  "proxy-unreachable": leaf("network", "FAIL", "the proxy of the environment is not reached"),
  "proxy-refuses": leaf("network", "FAIL", "the proxy makes no tunnel: it does not let the host through, or the name does not exist"),
  "host-refuses": leaf("network", "FAIL", "the connection is refused or cut"),
  "host-silent": leaf("network", "FAIL", "the host does not answer in time"),
  "authority-unknown": leaf("network", "FAIL", "the certificate is signed by a CA that is not trusted here"),
  "certificate-wrong": leaf("network", "FAIL", "the certificate is another host's, has expired, or is damaged"),
  "network-elsewhere": leaf("network", "SKIP", "this machine does not reach the host, and the worker got an answer of the vault"),

  "token-ok": leaf("token", "OK", "the identity signs in"),
  "client-secret-wrong": leaf("token", "FAIL", "AADSTS7000215: the client secret is not the application's"),
  "client-secret-expired": leaf("token", "FAIL", "AADSTS7000222: the client secret has expired"),
  "application-unknown": leaf("token", "FAIL", "AADSTS700016: no such application in the tenant"),
  "tenant-unknown": leaf("token", "FAIL", "AADSTS90002: no such tenant"),
  "not-federated": leaf("token", "FAIL", "AADSTS70021 and its kin: no federated credential for the ServiceAccount"),
  "identity-binding-refused": leaf("token", "FAIL", "the cluster has no token proxy, or it does not sign in for the identity"),
  "managed-identity-refused": leaf("token", "FAIL", "the node has no such managed identity"),
  "token-refused": leaf("token", "FAIL", "the sign-in service refuses for another reason"),
  "token-unanswered": leaf("token", "FAIL", "no usable answer from the sign-in service, or from the node's metadata service"),

  "permission-ok": leaf("permission", "OK", "the vault lets the identity read"),
  "vault-other-tenant": leaf("permission", "FAIL", "the vault does not accept the token: it belongs to another tenant"),
  "permission-missing": leaf("permission", "FAIL", "the identity has neither role nor access policy for it"),
  "vault-firewall": leaf("permission", "FAIL", "the vault's firewall refuses this address"),
  "vault-private": leaf("permission", "FAIL", "the vault takes connections by private link only"),
  "vault-perimeter": leaf("permission", "FAIL", "the vault's network security perimeter refuses the connection"),
  "vault-throttles": leaf("permission", "WARN", "the vault answers 429"),
  "vault-api-version": leaf("permission", "FAIL", "the vault does not know the version of its API that is asked for"),
  "vault-fails": leaf("permission", "FAIL", "no usable answer from the vault"),

  "object-ok": leaf("object", "OK", "the object can be read"),
  "object-absent": leaf("object", "FAIL", "the vault has no such object, or not that version"),
  "object-wrong-type": leaf("object", "FAIL", "the vault has an object of that name, of another type"),
  "object-disabled": leaf("object", "FAIL", "the version is disabled"),
  "object-expired": leaf("object", "WARN", "the version has expired"),
  "object-not-yet-valid": leaf("object", "WARN", "the version is not valid yet"),
  "object-invalid": leaf("object", "FAIL", "the object cannot be made into the file that the class wants"),

  "status-ok": leaf("status", "OK", "the worker mirrors the class, or follows its versions for restarts"),
  "status-off": leaf("status", "OK", "nothing of the class is mirrored, as it says"),
  "status-unreadable": leaf("status", "SKIP", "you may not read the status"),
  "status-absent": leaf("status", "WARN", "the worker has not said anything of the class"),
  "status-outdated": leaf("status", "WARN", "the class was changed after the worker looked"),
  "status-failing": leaf("status", "FAIL", "the worker cannot mirror the class, or not follow its versions"),

  "restarts-ok": leaf("restarts", "OK", "the pods of all that ask for restarts have the versions"),
  "restarts-waiting": leaf("restarts", "OK", "a restart is under way, or begins by itself when its time has come"),
  "restarts-held": leaf("restarts", "WARN", "a restart does not begin until somebody does something"),
  "restarts-halted": leaf("restarts", "FAIL", "a failed restart keeps all others of the namespace"),
  "restarts-unknown": leaf("restarts", "SKIP", "which versions the pods have is not known at the moment"),

  "secret-ok": leaf("secret", "OK", "the Secret is what the status says"),
  "secret-unreadable": leaf("secret", "SKIP", "you may not read the Secret"),
  "secret-absent": leaf("secret", "FAIL", "the Secret is not there"),
  "secret-foreign": leaf("secret", "FAIL", "the Secret is not the worker's, or another class's"),
  "secret-edited": leaf("secret", "FAIL", "its content is not what the worker wrote"),
  "secret-differs": leaf("secret", "FAIL", "it was made from other versions than the status says"),
  "secret-behind": leaf("secret", "WARN", "the vault has a newer version than the Secret"),
} as const satisfies Readonly<Record<string, Leaf>>;

export type LeafName = keyof typeof LEAVES;

/** One end of the tree. `fix` is one sentence: what to do; absent where there is nothing to do. */
export interface ClassFinding {
  readonly leaf: LeafName;
  readonly step: ClassStep;
  readonly state: CheckState;
  /** What was found; never a value, a token or a credential. */
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

/** Whatever is not fine says what to do. */
export function found(name: NameWith<"FAIL" | "WARN" | "SKIP">, message: string, fix: string): ClassFinding {
  const { step, state } = LEAVES[name];
  return { leaf: name, step, state, message, fix };
}
