/**
 * Everything in a real browser against a real counter, in one process, so that one counter serves all.
 *
 * `npm run test:browser` starts the counter; `-- --counter JSON` uses a running one, `-- --pictures FOLDER`
 * puts a picture of every state into a folder.
 */
import "./reading.js";
import "./states.js";
import "./pin-page.js";
import "./bench.js";
import "./devices.js";
