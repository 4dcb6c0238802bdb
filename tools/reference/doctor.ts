/** The page of doctor. For each result, the fix is written here, because the code does not contain it. */
import { CLASS_STEPS, LEAVES, type LeafName } from "../../src/cli/doctor/class/leaves.ts";
import { CLASS_VERDICTS } from "../../src/cli/doctor/plan/plan.ts";
import { SECRET_ACTIONS } from "../../src/cli/doctor/plan/plan-secret.ts";
import { code, type Places, table } from "./page.ts";

/** Empty if the user need not do anything. */
const FIXES: Readonly<Record<LeafName, string>> = {
  "class-ok": "",
  "class-absent": "correct the name or namespace, or create the class. If the class was lost with its CRD, run [`restore`](cli.md#restore)",
  "class-unreadable": "get permission to read the class",
  "class-not-azure": "",
  "class-invalid": "correct the field that `doctor` shows",
  "class-limited":
    "use a vault and an identity mode that `--allowed-vaults` and `--allowed-identity-modes` allow, or extend these settings. If the namespace is not allowed to use the node's identity, run the [`grants`](cli.md#grants) command that `doctor` shows",
  "secret-object-invalid": "correct the field that `doctor` shows",
  "identity-ok": "",
  "identity-unsupported":
    "use workload identity (`clientID`). If the class uses an identity binding, you can keep it if you turn on [identity bindings](../how-to/use-identity-bindings.md) for synced Secrets",
  "credentials-unreadable": "get permission to read that Secret, or run `doctor` in the worker's pod",
  "credentials-not-allowed": "use a Secret whose name is in the setting, or add the name to the setting",
  "credentials-absent": "create the Secret with `clientid` and `clientsecret`",
  "credentials-incomplete": "set the key that `doctor` shows",
  "credentials-padded": "write the value without the whitespace, for example with `kubectl create secret generic --from-literal`",
  "account-unknown": "specify a ServiceAccount in the annotation `keyvault-injector.dev/service-account`",
  "account-absent": "create the ServiceAccount, or use another ServiceAccount",
  "account-not-granted": "run the [`grants`](cli.md#grants) command that `doctor` shows",
  "token-request-forbidden":
    "get `create` permission on `serviceaccounts/token` for that ServiceAccount, or run `doctor` in the worker's pod",
  "cloud-elsewhere": "run `doctor` in the worker's pod",
  "identity-binding-elsewhere": "run `doctor` in the worker's pod",
  "managed-identity-elsewhere": "run `doctor` in the worker's pod",
  "network-ok": "",
  "host-unresolved":
    "for a vault, create the vault, or correct `keyvaultName`. For the sign-in service, repair DNS or egress. If DNS still does not have the host name, check `cloudName`",
  "name-service-silent": "repair DNS on this machine",
  "proxy-unreachable": "correct `HTTPS_PROXY`, or exempt the host in `NO_PROXY`",
  "proxy-refuses":
    "allow the host in the proxy. If the proxy already allows the host, the host name does not exist: follow the advice for `host-unresolved`",
  "host-refuses": "allow connections from this machine to port 443 of the host",
  "host-silent": "allow connections from this machine to port 443 of the host",
  "authority-unknown":
    "if the certificate comes from the CA of a proxy, add that CA with `NODE_EXTRA_CA_CERTS`. Otherwise, find out which server responds in place of the host",
  "certificate-wrong": "find out which server responds in place of the host, and check the clock of this machine",
  "network-elsewhere": "run `doctor` in the worker's pod",
  "token-ok": "",
  "client-secret-wrong": "set `clientsecret` to the value of the client secret, not to its ID",
  "client-secret-expired": "create a new client secret, and put it in `clientsecret`",
  "application-unknown":
    "correct whichever is wrong: `tenantID`, or the client ID (`clientid` in the credentials Secret, or `clientID` in the class)",
  "tenant-unknown": "correct `tenantID`",
  "not-federated": "add a federated credential to the identity, with the subject, issuer, and audience that `doctor` shows",
  "identity-binding-refused":
    "[bind the identity](../how-to/use-identity-bindings.md#1-bind-the-identity) to the cluster, and let the ServiceAccount use the identity. Alternatively, use workload identity",
  "managed-identity-refused": "if `userAssignedIdentityID` is wrong, correct it. Otherwise, assign the identity to the nodes",
  "token-refused": "follow the advice for the code in the message, or look up the code in the Entra documentation",
  "token-unanswered": "run `doctor` again, then check Azure's status page and the network path to the host that `doctor` shows",
  "permission-ok": "",
  "vault-other-tenant": "set `tenantID` to the ID of the vault's tenant",
  "permission-missing": "grant the identity the role or the permission that `doctor` shows",
  "vault-firewall":
    "run `doctor` in the worker's pod. If the check fails there too, add the address that `doctor` shows there to the vault's firewall rules, or use a private endpoint",
  "vault-private":
    "run `doctor` in the worker's pod. If the check fails there too, make sure that the cluster's network has an approved private endpoint for the vault",
  "vault-perimeter":
    "run `doctor` in the worker's pod. If the check fails there too, add an inbound access rule for the address of the cluster to the perimeter",
  "vault-throttles":
    "wait. If the vault throttles often, set a longer `--rotation-poll-interval`, or spread the objects across more vaults",
  "vault-api-version": "set `keyVaultAPIVersion` in the cloud file to the version that `doctor` shows",
  "vault-fails": "run `doctor` again, then check Azure's status page and the network path to the vault",
  "object-ok": "",
  "object-absent": "create the object, or correct `objectName` or `objectVersion`",
  "object-wrong-type": "set `objectType` to the type that `doctor` shows",
  "object-disabled": "enable the version, or specify an enabled version",
  "object-expired": "add a new version to the vault. Until then, the worker syncs the expired version",
  "object-not-yet-valid": "if the activation date of the version is wrong, change it. The worker already syncs the version",
  "object-invalid":
    "correct the object in the vault, or `objectFormat`, `objectEncoding`, or `objectType` in the class, whichever is wrong",
  "status-ok": "",
  "status-off": "",
  "status-unreadable": "get the role `keyvault-injector-view`",
  "status-absent": "run `doctor` without arguments, and follow the advice of its check `lease`",
  "status-outdated": "wait a moment, then run `doctor` again",
  "status-failing": "follow the message in the status; see [reasons](reasons.md)",
  "restarts-ok": "",
  "restarts-waiting": "",
  "restarts-held": "follow the message; see [restart on rotation](../how-to/restart-on-rotation.md)",
  "restarts-halted": "follow the runbook [RolloutFailed](../runbooks/RolloutFailed.md)",
  "restarts-unknown": "run `doctor` again in a minute. If the versions remain unknown, check the worker's log",
  "secret-ok": "",
  "secret-unreadable": "get permission to read the Secret",
  "secret-absent":
    "if the status gives a reason, follow the message in the status. Otherwise, run `doctor` without arguments, and follow the advice of its check `lease`",
  "secret-foreign":
    "if the CSI driver's own sync wrote the Secret, turn off that sync. If the Secret belongs to another class, change `secretName` in one of the two classes. Otherwise, choose another `secretName`, or delete the Secret if nobody needs it",
  "secret-edited":
    "stop the other writer. If the worker then does not restore the Secret, run `doctor` without arguments, and follow the advice of its check `lease`",
  "secret-differs":
    "run `doctor` without arguments, and follow the advice of its check `lease`. Then change the class's annotation `keyvault-injector.dev/refresh`",
  "secret-behind": "wait for the next poll. To update the Secret now, change the class's annotation `keyvault-injector.dev/refresh`",
};

export function doctorPlaces(): Places {
  const words = (title: string, of: Readonly<Record<string, string>>, meaning = "Meaning"): string =>
    table(
      [title, meaning],
      Object.entries(of).map(([word, means]) => [code(word), means]),
    );
  return {
    steps: words("Step", CLASS_STEPS, "Checks whether"),
    leaves: table(
      ["Leaf", "Step", "State", "Meaning", "What to do"],
      Object.entries(LEAVES).map(([name, { step, state, meaning }]) => [
        code(name),
        code(step),
        code(state),
        meaning,
        FIXES[name as LeafName], // A key of the table.
      ]),
    ),
    "plan-classes": words("Class", CLASS_VERDICTS),
    "plan-secrets": words("Secret", SECRET_ACTIONS),
  };
}
