// Opens a node's namespaces with a process in them, prints their place, and waits until a test kills it.
import { spawn } from "node:child_process";
import { prepareHost } from "./host-state.ts";
import { openNamespaces } from "./namespaces.ts";
import { foldersOf } from "./node-layout.ts";

const host = prepareHost();
const namespaces = await openNamespaces(foldersOf(host.root));
const [command, args] = namespaces.enter("sleep", ["1000"]);
spawn(command, args, { stdio: "ignore" });
// After half a second the sleep process exists.
setTimeout(() => console.log(`${host.root} ${namespaces.identity}`), 500);
setInterval(() => undefined, 60_000);
