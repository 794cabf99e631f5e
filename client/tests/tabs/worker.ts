/** The worker of the pages in `tests/integration/hub/test_tabs.py`: one connection for all of them. */

import { Centrifuge } from "centrifuge";

import { SharedHub } from "../../src/index";

const client = new Centrifuge(`ws://${location.host}/connection/websocket`, { minReconnectDelay: 10 });
client.connect();
const hub = new SharedHub(client);
addEventListener("connect", (event) => (event as MessageEvent).ports.forEach((port) => hub.join(port)));
