// Opens a node's namespaces with a process in them, says where, and waits to be killed: the subject of a test.
import { spawn } from "node:child_process";
import { prepareHost } from "./host-state.ts";
import { openNamespaces } from "./namespaces.ts";
import { foldersOf } from "./node-layout.ts";

const host = prepareHost();
const namespaces = await openNamespaces(foldersOf(host.root));
const [command, args] = namespaces.enter("sleep", ["1000"]);
spawn(command, args, { stdio: "ignore" });
// Two turns of the loop: the sleep is there when it is announced.
setTimeout(() => console.log(`${host.root} ${namespaces.identity}`), 500);
setInterval(() => undefined, 60_000);
