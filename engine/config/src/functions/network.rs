//! Addresses and networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bimetal_model::{Type, Value};
use num_bigint::{BigInt, Sign};

use super::{Arguments, Error, Function, Result, deep, number, quoted, text, texts};

/// As Terraform has it.
const MOST_NEW_BITS: i64 = 32;

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("cidrhost", [text(), number()], Type::String, host),
        deep("cidrnetmask", [text()], Type::String, |a| match network(&a)? {
            Network { bits: 32, length, .. } => Ok(Ipv4Addr::from(mask(32, length) as u32).to_string().into()),
            network if network.is_mapped() => Ok(Ipv6Addr::from(mask(128, network.length)).to_string().into()),
            _ => Err(Error::new("only IPv4 networks have a netmask")),
        }),
        deep("cidrsubnet", [text(), number(), number()], Type::String, |a| {
            let (newbits, number) = (a.whole(1)?, whole(&a, 2)?);
            Ok(subnet(&network(&a)?, newbits, &number)?.into())
        }),
        deep("cidrsubnets", [text()], texts(), |a| subnets(&network(&a).map_err(|error| error.of(0))?, &a))
            .and_more(number()),
    ]
}

struct Network {
    base: u128,
    length: u32,
    bits: u32,
}

impl Network {
    /// IPv4 in IPv6: `::ffff:10.0.0.0/112`.
    fn is_mapped(&self) -> bool {
        self.bits == 128 && Ipv6Addr::from(self.base).to_ipv4_mapped().is_some()
    }
}

/// As Go writes it: IPv4 in IPv6 is IPv4.
fn network_text(bits: u32, base: u128, length: u32) -> String {
    match length.checked_sub(96).filter(|_| Network { base, length, bits }.is_mapped()) {
        Some(length) => format!("{}/{length}", address_text(bits, base)),
        None => format!("{}/{length}", address_text(bits, base)),
    }
}

fn network(arguments: &Arguments<'_>) -> Result<Network> {
    let text = arguments.text(0);
    let broken = || Error::new(format!("{} is no network, as `10.0.0.0/8` is", quoted(text)));
    let (address, length) = text.split_once('/').ok_or_else(broken)?;
    let address: IpAddr = without_zeros(address).parse().map_err(|_| broken())?;
    let (base, bits) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let length = length.parse::<u32>().ok().filter(|length| *length <= bits).ok_or_else(broken)?;
    Ok(Network { base: base & mask(bits, length), length, bits })
}

/// `010.001.0.0` is `10.1.0.0`, as Terraform reads it.
fn without_zeros(address: &str) -> String {
    if address.contains(':') {
        return address.to_owned();
    }
    let part = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        digits => digits.to_owned(),
    };
    address.split('.').map(part).collect::<Vec<_>>().join(".")
}

fn mask(bits: u32, length: u32) -> u128 {
    all(bits) & !(all(bits).checked_shr(length).unwrap_or(0))
}

fn address_text(bits: u32, address: u128) -> String {
    match bits {
        32 => Ipv4Addr::from(address as u32).to_string(),
        _ => {
            let address = Ipv6Addr::from(address);
            address.to_ipv4_mapped().map_or_else(|| address.to_string(), |mapped| mapped.to_string())
        }
    }
}

/// A negative number counts from the end.
fn host(arguments: Arguments<'_>) -> Result {
    let wanted = whole(&arguments, 1)?;
    let network = network(&arguments)?;
    let last = !mask(network.bits, network.length) & all(network.bits);
    let magnitude = u128::try_from(wanted.magnitude()).ok();
    let offset = match wanted.sign() == Sign::Minus {
        true => magnitude.and_then(|magnitude| last.checked_sub(magnitude.checked_sub(1)?)),
        // Terraform compares the last 64 bits, signed, and takes all of them.
        false => magnitude.filter(|magnitude| (*magnitude as i64) < 0 || u128::from(*magnitude as u64) <= last),
    };
    // Of IPv4 in IPv6, it counts from the bit where IPv4 would end.
    let shift = if network.is_mapped() { 96 } else { 0 };
    let offset = offset.and_then(|offset| placed(offset, shift, network.bits));
    let offset = offset.ok_or_else(|| Error::new(format!("the network has no host {wanted}")))?;
    Ok(Value::from(address_text(network.bits, network.base | offset)))
}

fn whole(arguments: &Arguments<'_>, place: usize) -> Result<BigInt> {
    let number = arguments.number(place);
    number.to_whole().ok_or_else(|| Error::new(format!("a whole number is wanted, not {number}")))
}

/// The number so many bits further up, if none of it gets lost.
fn placed(number: u128, shift: u32, bits: u32) -> Option<u128> {
    let placed = if number == 0 { 0 } else { number.checked_shl(shift)? };
    (number == 0 || placed >> shift == number && placed <= all(bits)).then_some(placed)
}

fn all(bits: u32) -> u128 {
    if bits == 128 { u128::MAX } else { (1 << bits) - 1 }
}

/// One behind the other, each as near to the one before as its size allows.
fn subnets(network: &Network, arguments: &Arguments<'_>) -> Result {
    let (mut found, mut next) = (Vec::new(), Some(network.base));
    for place in 1..arguments.len() {
        let length = extended(network, arguments.whole(place).map_err(|error| error.of(place))?);
        let length = length.map_err(|reason| Error::argument(place, reason))?;
        let full = || Error::argument(place, "there is no room left for this network");
        let size = 1u128.checked_shl(network.bits - length).ok_or_else(full)?;
        let base = next.ok_or_else(full)?.checked_add(size - 1).ok_or_else(full)? & !(size - 1);
        if base & mask(network.bits, network.length) != network.base {
            return Err(full());
        }
        found.push(Value::from(network_text(network.bits, base, length)));
        next = base.checked_add(size);
    }
    Ok(Value::list(Type::String, found))
}

/// The length of a network's part that has so many bits more.
fn extended(network: &Network, newbits: i64) -> std::result::Result<u32, String> {
    if !(1..=MOST_NEW_BITS).contains(&newbits) {
        return Err(format!("1 to {MOST_NEW_BITS} bits more are taken, not {newbits}"));
    }
    let length = u32::try_from(newbits).ok().map(|newbits| network.length + newbits);
    let length = length.filter(|length| *length <= network.bits);
    length.ok_or_else(|| format!("there is no room for {newbits} more bits"))
}

/// Fewer bits than the network has are taken, too: the number is in the bits behind them.
fn subnet(network: &Network, newbits: i64, number: &BigInt) -> Result<String> {
    let length = u32::try_from(i64::from(network.length).saturating_add(newbits)).ok();
    let Some(length) = length.filter(|length| *length <= network.bits) else {
        return Err(Error::new(format!("there is no room for {newbits} more bits")));
    };
    // Terraform compares the last 64 bits, without the sign, and takes all of them.
    let last = number.magnitude().iter_u64_digits().next().unwrap_or(0);
    let fits = u64::try_from(newbits).map_or(true, |bits| bits >= 64 || last >> bits == 0);
    let base = Some(number).filter(|_| fits).and_then(|number| joined(network, number, network.bits - length));
    let base = base.ok_or_else(|| Error::new(format!("{newbits} bits do not hold this number")))?;
    Ok(network_text(network.bits, base, length))
}

/// The network's bits, and those of a number so many bits further up. With a negative one Terraform drops the sign of
/// what comes out: few of the network's bits are left.
fn joined(network: &Network, number: &BigInt, shift: u32) -> Option<u128> {
    if number.bits() > u64::from(network.bits) {
        return None;
    }
    let whole = BigInt::from(network.base) | (number.clone() << shift);
    u128::try_from(whole.magnitude()).ok().filter(|base| *base <= all(network.bits))
}
