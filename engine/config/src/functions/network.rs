//! Addresses and networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bimetal_model::Value;

use super::{Arguments, Error, Function, Result, deep};

pub(super) const FUNCTIONS: &[Function] = &[
    deep("cidrhost", 2, 2, host),
    deep("cidrnetmask", 1, 1, |a| match network(&a)? {
        Network { bits: 32, length, .. } => Ok(Ipv4Addr::from(mask(32, length) as u32).to_string().into()),
        _ => Err(Error::argument(0, "only IPv4 networks have a netmask")),
    }),
    deep("cidrsubnet", 3, 3, |a| {
        let network = network(&a)?;
        Ok(subnet(&network, a.whole(1)?, a.whole(2)?)?.into())
    }),
];

struct Network {
    base: u128,
    length: u32,
    bits: u32,
}

fn network(arguments: &Arguments<'_>) -> Result<Network> {
    let text = arguments.text(0)?;
    let broken = || Error::argument(0, format!("`{text}` is no network, as `10.0.0.0/8` is"));
    let (address, length) = text.split_once('/').ok_or_else(broken)?;
    let address: IpAddr = address.parse().map_err(|_| broken())?;
    let (base, bits) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let length = length.parse::<u32>().ok().filter(|length| *length <= bits).ok_or_else(broken)?;
    Ok(Network { base: base & mask(bits, length), length, bits })
}

fn mask(bits: u32, length: u32) -> u128 {
    let all = if bits == 128 { u128::MAX } else { (1u128 << bits) - 1 };
    all & !(all.checked_shr(length).unwrap_or(0))
}

fn address_text(bits: u32, address: u128) -> String {
    match bits {
        32 => Ipv4Addr::from(address as u32).to_string(),
        _ => Ipv6Addr::from(address).to_string(),
    }
}

/// A negative number counts from the end.
fn host(arguments: Arguments<'_>) -> Result {
    let network = network(&arguments)?;
    let wanted = arguments.whole(1)?;
    let room = network.bits - network.length;
    let size = 1u128.checked_shl(room);
    let fits = size.is_none_or(|size| u128::from(wanted.unsigned_abs()) < size + u128::from(wanted < 0));
    if !fits {
        return Err(Error::argument(1, format!("the network has no host {wanted}")));
    }
    let offset = match wanted < 0 {
        true => size.unwrap_or(0).wrapping_sub(u128::from(wanted.unsigned_abs())),
        false => u128::from(wanted.unsigned_abs()),
    };
    let offset = offset & !mask(network.bits, network.length);
    Ok(Value::from(address_text(network.bits, network.base | offset)))
}

fn subnet(network: &Network, newbits: i64, number: i64) -> Result<String> {
    let length = u32::try_from(newbits).ok().and_then(|newbits| network.length.checked_add(newbits));
    let Some(length) = length.filter(|length| *length <= network.bits) else {
        return Err(Error::argument(1, format!("there is no room for {newbits} more bits")));
    };
    let room = length - network.length;
    let number = u128::try_from(number).ok().filter(|number| room == 128 || *number < 1u128 << room);
    let number = number.ok_or_else(|| Error::argument(2, format!("{newbits} bits do not hold this number")))?;
    let base = network.base | number.checked_shl(network.bits - length).unwrap_or(0);
    Ok(format!("{}/{length}", address_text(network.bits, base)))
}
