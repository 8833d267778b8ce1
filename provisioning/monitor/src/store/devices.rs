//! Devices, their keys, and people who may command, as operators register them.

use rusqlite::{OptionalExtension as _, params};
use telemetry::VerifyingKey;
use telemetry::name::DeviceName;

use super::{Store, StoreError, failed, number, sql};
use crate::registry::{DeviceKey, Registered, Registry, Shard};

/// Somebody who may command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their key.
    pub key: VerifyingKey,
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub role: String,
    /// Whether the key no longer counts.
    pub retired: bool,
}

/// A key, its first and last epoch, who stated it, and whether it waits.
type KeyRow = (Vec<u8>, (i64, Option<i64>), Option<Vec<u8>>, bool);

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// The older epoch in which the device goes on, where its counters had gone back.
    pub rollback: Option<u64>,
}

impl Store {
    /// The registry of the devices that lie in a part.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Damaged`].
    pub fn registry(&self, shard: Shard) -> Result<Registry, StoreError> {
        const DOING: &str = "read the registry";
        let mut devices = self
            .rows(
                DOING,
                "SELECT id, name, life, quarantine FROM devices ORDER BY name",
                [],
                |row| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        row.get::<_, String>(1)?,
                        row.get::<_, i64>(2)?,
                        row.get::<_, Option<String>>(3)?,
                    ))
                },
            )?
            .into_iter()
            .map(|(id, path, life, quarantine)| {
                let name = name(&path)?;
                Ok(Registered {
                    id,
                    urn: name.urn(),
                    name,
                    life,
                    quarantine,
                    keys: Vec::new(),
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        devices.retain(|device| shard.has(&device.name));
        for device in &mut devices {
            device.keys = self.keys(device.id, device.life)?;
        }
        Ok(Registry::new(devices))
    }

    /// The keys of a device in one life.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Damaged`].
    pub fn keys(&self, device: i64, life: i64) -> Result<Vec<DeviceKey>, StoreError> {
        let rows = self.rows(
            "read the keys",
            "SELECT key, from_epoch, until_epoch, stated_by, waits FROM keys
             WHERE device = ?1 AND life = ?2 ORDER BY from_epoch",
            [device, life],
            |row| {
                Ok((
                    row.get(0)?,
                    (row.get(1)?, row.get(2)?),
                    row.get(3)?,
                    row.get(4)?,
                ))
            },
        )?;
        rows.into_iter()
            .map(|(key, (from, until), by, waits): KeyRow| {
                let key = stored_key(&key)?;
                let by = by.map(|by| stored_key(&by)).transpose()?;
                Ok(DeviceKey {
                    id: key.id(),
                    key,
                    from_epoch: number(from),
                    until_epoch: until.map(number),
                    stated_by: by.map(|by| by.id()),
                    waits,
                })
            })
            .collect()
    }

    /// Registers a device with its first key.
    ///
    /// # Errors
    /// [`StoreError::Taken`] where the name or the key is registered; [`StoreError::Database`].
    pub fn add_device(&self, name: &DeviceName, key: &VerifyingKey) -> Result<i64, StoreError> {
        self.whole(|| self.insert_device(name, key))
    }

    /// Registers devices with their first keys: all of them, or none.
    ///
    /// # Errors
    /// [`StoreError::Taken`] where a name or a key is registered; [`StoreError::Database`].
    pub fn add_devices(&self, devices: &[(DeviceName, VerifyingKey)]) -> Result<(), StoreError> {
        self.whole(|| {
            devices
                .iter()
                .try_for_each(|(name, key)| self.insert_device(name, key).map(|_id| ()))
        })
    }

    /// Registers a further key of a device, which counts from an epoch on; with `replaces`, the other keys of
    /// this life count until that epoch only, and in it both, because a device may change keys within one.
    ///
    /// # Errors
    /// [`StoreError::NoDevice`], [`StoreError::Taken`], [`StoreError::Database`].
    pub fn add_key(
        &self,
        name: &DeviceName,
        key: &VerifyingKey,
        from_epoch: u64,
        replaces: bool,
    ) -> Result<(), StoreError> {
        self.whole(|| {
            let (device, life) = self.find(name)?;
            if replaces {
                self.run(
                    "end the earlier keys",
                    "UPDATE keys SET until_epoch = ?3 WHERE device = ?1 AND life = ?2
                     AND (until_epoch IS NULL OR until_epoch > ?3)",
                    params![device, life, sql(from_epoch)],
                )?;
            }
            self.insert_key(device, key, life, from_epoch)
        })
    }

    /// Begins a new life of a device with a new key: earlier keys are void, its counters begin anew, and
    /// nothing holds it in quarantine.
    ///
    /// # Errors
    /// [`StoreError::NoDevice`], [`StoreError::Taken`], [`StoreError::Database`].
    pub fn enrol_anew(&self, name: &DeviceName, key: &VerifyingKey) -> Result<(), StoreError> {
        self.whole(|| {
            let (device, life) = self.find(name)?;
            self.run(
                "begin a new life",
                "UPDATE devices SET life = life + 1, quarantine = NULL, rollback = NULL WHERE id = ?1",
                [device],
            )?;
            self.run(
                "begin a new life",
                "DELETE FROM presence WHERE device = ?1",
                [device],
            )?;
            self.insert_key(device, key, life + 1, 0)
        })
    }

    /// Puts a device in quarantine: nothing of it is accepted, and it keeps what it has to say.
    ///
    /// `rollback` is the older epoch in which it speaks, where that is the reason.
    ///
    /// # Errors
    /// [`StoreError::NoDevice`], [`StoreError::Database`].
    pub fn quarantine(
        &self,
        name: &DeviceName,
        reason: &str,
        rollback: Option<u64>,
    ) -> Result<(), StoreError> {
        let changed = self.run(
            "put the device in quarantine",
            "UPDATE devices SET quarantine = ?2, rollback = ?3 WHERE name = ?1",
            params![name.to_string(), reason, rollback.map(sql)],
        )?;
        found(changed)
    }

    /// Lets a device out of quarantine; where its counters had gone back, it goes on in the older epoch.
    ///
    /// # Errors
    /// [`StoreError::NoDevice`], [`StoreError::Database`].
    pub fn release(&self, name: &DeviceName) -> Result<Released, StoreError> {
        self.whole(|| {
            let (device, _) = self.find(name)?;
            let rollback: Option<i64> = self
                .db
                .query_row("SELECT rollback FROM devices WHERE id = ?1", [device], |row| row.get(0))
                .map_err(failed("release the device"))?;
            self.run(
                "release the device",
                "UPDATE devices SET quarantine = NULL, rollback = NULL WHERE id = ?1",
                [device],
            )?;
            if let Some(epoch) = rollback {
                self.run(
                    "accept the older epoch",
                    "UPDATE presence SET epoch = ?2, session = 0, number = 0, made = 0, issued_at = 0,
                     epoch_began = 0, session_began = 0 WHERE device = ?1",
                    params![device, epoch],
                )?;
            }
            Ok(Released {
                rollback: rollback.map(number),
            })
        })
    }

    /// Registers somebody who may command.
    ///
    /// # Errors
    /// [`StoreError::Taken`], [`StoreError::Database`].
    pub fn add_person(&self, name: &str, role: &str, key: &VerifyingKey) -> Result<(), StoreError> {
        self.run(
            "add the person",
            "INSERT INTO people (key, name, role) VALUES (?1, ?2, ?3)",
            params![key.bytes().as_slice(), name, role],
        )?;
        Ok(())
    }

    /// Makes a person's key count no longer.
    ///
    /// # Errors
    /// [`StoreError::NoDevice`] where there is no such key; [`StoreError::Database`].
    pub fn retire_person(&self, key: &VerifyingKey) -> Result<(), StoreError> {
        found(self.run(
            "retire the key",
            "UPDATE people SET retired = 1 WHERE key = ?1",
            [key.bytes().as_slice()],
        )?)
    }

    /// Everybody who may command or might.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Damaged`].
    pub fn people(&self) -> Result<Vec<Person>, StoreError> {
        let rows = self.rows(
            "read the people",
            "SELECT key, name, role, retired FROM people ORDER BY name",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        rows.into_iter()
            .map(|(key, name, role, retired): (Vec<u8>, _, _, _)| {
                Ok(Person {
                    key: stored_key(&key)?,
                    name,
                    role,
                    retired,
                })
            })
            .collect()
    }

    fn find(&self, name: &DeviceName) -> Result<(i64, i64), StoreError> {
        self.db
            .query_row(
                "SELECT id, life FROM devices WHERE name = ?1",
                [name.to_string()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(failed("find the device"))?
            .ok_or(StoreError::NoDevice)
    }

    fn insert_device(&self, name: &DeviceName, key: &VerifyingKey) -> Result<i64, StoreError> {
        self.run(
            "add the device",
            "INSERT INTO devices (name) VALUES (?1)",
            [name.to_string()],
        )?;
        let device = self.db.last_insert_rowid();
        self.insert_key(device, key, 0, 0)?;
        Ok(device)
    }

    fn insert_key(
        &self,
        device: i64,
        key: &VerifyingKey,
        life: i64,
        from_epoch: u64,
    ) -> Result<(), StoreError> {
        self.run(
            "add the key",
            "INSERT INTO keys (device, key, life, from_epoch) VALUES (?1, ?2, ?3, ?4)",
            params![device, key.bytes().as_slice(), life, sql(from_epoch)],
        )?;
        Ok(())
    }

    /// Does all of it or nothing.
    fn whole<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.begin()?;
        match work() {
            Ok(done) => self.commit().map(|()| done),
            Err(error) => {
                self.roll_back()?;
                Err(error)
            }
        }
    }
}

/// The device of a stored name.
pub(super) fn name(path: &str) -> Result<DeviceName, StoreError> {
    path.split_once('/')
        .and_then(|(tenant, device)| {
            Some(DeviceName {
                tenant: tenant.parse().ok()?,
                device: device.parse().ok()?,
            })
        })
        .ok_or(StoreError::Damaged {
            what: "a device's name",
        })
}

fn stored_key(bytes: &[u8]) -> Result<VerifyingKey, StoreError> {
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_of_another_length| StoreError::Damaged { what: "a key" })?;
    Ok(VerifyingKey::new(bytes))
}

const fn found(changed: usize) -> Result<(), StoreError> {
    if changed == 0 {
        Err(StoreError::NoDevice)
    } else {
        Ok(())
    }
}
