//! Our Modbus encoder beside tokio-modbus: the same requests and answers give the same octets, and it reads ours
//! as what they are.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;
use simulators::encode::modbus::{Request as Own, Response as OwnResponse, mbap};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_modbus::bytes::Bytes;
use tokio_modbus::client::{Client, tcp};
use tokio_modbus::prelude::{ExceptionCode, ReadCode, Request, Response, Slave};

/// A request in both forms.
fn requests() -> impl Strategy<Value = (Own, Request<'static>)> {
    let word = any::<u16>;
    prop_oneof![
        (word(), 1..=2000_u16).prop_map(|(a, n)| (Own::Read(1, a, n), Request::ReadCoils(a, n))),
        (word(), 1..=2000_u16).prop_map(|(a, n)| (Own::Read(2, a, n), Request::ReadDiscreteInputs(a, n))),
        (word(), 1..=125_u16).prop_map(|(a, n)| (Own::Read(3, a, n), Request::ReadHoldingRegisters(a, n))),
        (word(), 1..=125_u16).prop_map(|(a, n)| (Own::Read(4, a, n), Request::ReadInputRegisters(a, n))),
        (word(), any::<bool>()).prop_map(|(a, on)| {
            (Own::WriteCoil(a, if on { 0xff00 } else { 0 }), Request::WriteSingleCoil(a, on))
        }),
        (word(), word()).prop_map(|(a, v)| (Own::WriteRegister(a, v), Request::WriteSingleRegister(a, v))),
        (word(), vec(any::<bool>(), 1..=1968)).prop_map(|(a, bits)| {
            (Own::WriteCoils(a, bits.clone()), Request::WriteMultipleCoils(a, Cow::Owned(bits)))
        }),
        (word(), vec(word(), 1..=123)).prop_map(|(a, words)| {
            (Own::WriteRegisters(a, words.clone()), Request::WriteMultipleRegisters(a, Cow::Owned(words)))
        }),
        Just((Own::ReportServerId, Request::ReportServerId)),
        (word(), word(), word())
            .prop_map(|(a, and, or)| (Own::MaskWrite(a, and, or), Request::MaskWriteRegister(a, and, or))),
        (word(), 1..=125_u16, word(), vec(word(), 1..=121)).prop_map(|(from, n, to, words)| {
            let theirs = Request::ReadWriteMultipleRegisters(from, n, to, Cow::Owned(words.clone()));
            (Own::ReadWrite(from, n, to, words), theirs)
        }),
        (1..=4_u8, any::<u8>()).prop_map(|(code, object)| {
            let read = ReadCode::try_from_value(code).unwrap();
            (Own::DeviceId(code, object), Request::ReadDeviceIdentification(read, object))
        }),
        (word(), vec(any::<u8>(), 2..=2)).prop_map(|(sub, data)| {
            let octets = [&sub.to_be_bytes(), data.as_slice()].concat();
            (Own::Diagnostics(sub, data), Request::Custom(8, Cow::Owned(octets)))
        }),
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// What its client sends for a request, and what it makes of an answer; `answer` is given the transaction.
fn exchange(
    unit: u8,
    request: Request<'static>,
    answer: impl FnOnce(u16) -> Vec<u8>,
) -> (Vec<u8>, tokio_modbus::Result<Response>) {
    runtime().block_on(async {
        let (near, mut far) = tokio::io::duplex(1024);
        let mut client = tcp::attach_slave(near, Slave(unit));
        let serve = async {
            let mut sent = vec![0; 6];
            far.read_exact(&mut sent).await.unwrap();
            let rest = usize::from(u16::from_be_bytes([sent[4], sent[5]]));
            sent.resize(6 + rest, 0);
            far.read_exact(&mut sent[6..]).await.unwrap();
            let bytes = answer(u16::from_be_bytes([sent[0], sent[1]]));
            far.write_all(&bytes).await.unwrap();
            sent
        };
        let (result, sent) = tokio::join!(client.call(request), serve);
        (sent, result)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_are_the_same_octets_and_are_read_as_what_they_are((own, theirs) in requests(), unit: u8) {
        let read = Request::try_from(Bytes::from(own.pdu())).unwrap();
        prop_assert_eq!(&read, &theirs);
        let refuse = OwnResponse::Exception(own.function(), 4).pdu();
        let (sent, result) = exchange(unit, theirs, |transaction| mbap(transaction, unit, &refuse));
        let transaction = u16::from_be_bytes([sent[0], sent[1]]);
        prop_assert_eq!(sent, mbap(transaction, unit, &own.pdu()));
        // It does not take the exception of function 8 for one of the custom request it was asked for.
        if own.function() != 8 {
            prop_assert_eq!(result.unwrap(), Err(ExceptionCode::ServerDeviceFailure));
        }
    }

    #[test]
    fn answers_are_read_as_what_they_are(words in vec(any::<u16>(), 1..=123), bits in vec(any::<bool>(), 1..=2000), a: u16) {
        let count = words.len() as u16;
        let ask = |request, answer: OwnResponse| {
            exchange(1, request, |transaction| mbap(transaction, 1, &answer.pdu())).1.unwrap().unwrap()
        };
        let read = ask(Request::ReadHoldingRegisters(a, count), OwnResponse::Registers(3, words.clone()));
        prop_assert_eq!(read, Response::ReadHoldingRegisters(words.clone()));
        let read = ask(Request::ReadInputRegisters(a, count), OwnResponse::Registers(4, words.clone()));
        prop_assert_eq!(read, Response::ReadInputRegisters(words.clone()));
        let read = ask(Request::ReadCoils(a, bits.len() as u16), OwnResponse::Bits(1, bits.clone()));
        let Response::ReadCoils(mut coils) = read else { panic!("{read:?}") };
        // The last octet is filled up.
        prop_assert!(coils.split_off(bits.len()).iter().all(|bit| !bit));
        prop_assert_eq!(coils, bits);
        let read = ask(Request::WriteMultipleRegisters(a, Cow::Owned(words)), OwnResponse::Written(16, a, count));
        prop_assert_eq!(read, Response::WriteMultipleRegisters(a, count));
    }
}
