/**
 * Which device a piece of work is for, and the devices by their kind.
 */
import type { Door } from "./door.js";
import { AgentError } from "./errors.js";
import type { Device, DeviceClass, DeviceList } from "./wire.js";

/** The devices of one kind, usable ones first. */
export function devicesOfClass(list: DeviceList, deviceClass: DeviceClass): Device[] {
  const own = list.devices.filter((device) => device.class === deviceClass);
  return [...own.filter(isUsable), ...own.filter((device) => !isUsable(device))];
}

/**
 * Chooses a device: of card readers the one on which a card lies, else the first usable one.
 *
 * A device other than a card reader is chosen even where it is not usable, because some work needs it no
 * further, and because the agent's refusal then says in its own words what is wrong.
 */
export async function chooseDevice(door: Door, deviceClass: DeviceClass): Promise<string> {
  const list = await door.call<DeviceList>({ method: "GET", path: "/v1/devices" });
  const own = devicesOfClass(list, deviceClass);
  const chosen =
    deviceClass === "cardReader"
      ? (own.find((device) => isUsable(device) && device.state === "cardPresent") ?? own.find(isUsable))
      : (own.find((device) => device.state !== "absent") ?? own[0]);
  if (chosen === undefined) {
    const denied = deviceClass === "cardReader" && list.cardService === "denied";
    throw AgentError.own(denied ? "device_denied" : "device_absent", undefined, deviceClass);
  }
  return chosen.id;
}

function isUsable(device: Device): boolean {
  return device.health.usable;
}
